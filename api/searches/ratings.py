"""Finished ratings: every candidate on pages, and some of each cell by their ranks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from api.errors import Invalid
from api.pagination import Page, decode, encode, invalid_cursor
from api.searches.schemas import Rating, RatingStrip, RatingStrips, StripPath
from dna_engine.select import Problem
from dna_engine.select.strips import Strip, strips
from dna_engine.space import CellRef, Space
from store import searches


def page(problem: Problem, *, block: int | None, cell: int | None, cursor: str | None, limit: int) -> Page[Rating]:
    """Candidates of the cells asked for, cell by cell in the order of their paths.

    Raises:
        Invalid: there is no such block or cell.
    """
    space = problem.ratings.space
    cells = [ref for ref in space.cells if block in (None, ref.block) and cell in (None, ref.cell)]
    if not cells:
        detail = f"{space.name} has no such cell; it has {', '.join(map(str, space.cells))}"
        raise Invalid(f"{detail}.", errors=[{"parameter": "block" if cell is None else "cell", "detail": detail}])
    start = _offset(cursor)
    items = list(islice(_candidates(problem, cells, start), limit))
    total = sum(space.path_count(space.cell(ref)) for ref in cells)
    more = start + len(items) < total
    return Page(items=items, next=encode(str(start + len(items))) if more else None)


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (text := decode(cursor)).isdecimal():
        raise invalid_cursor()
    return int(text)


def _candidates(problem: Problem, cells: list[CellRef], start: int) -> Iterator[Rating]:
    space = problem.ratings.space
    for ref in cells:
        losses = problem.ratings.losses[ref]
        for index in range(start, len(losses)):
            ops = [op.name for op in space.path(space.cell(ref), index)]
            yield Rating(block=ref.block, cell=ref.cell, index=index, ops=ops, loss=float(losses[index]))
        start = max(0, start - len(losses))


def by_rank(session: Session, search_id: UUID, problem: Problem, points: int) -> RatingStrips:
    """Each cell with at most so many of its candidates, the winner's paths among them."""
    winner = _winner(session, search_id, problem.ratings.space)
    return RatingStrips(
        cells=[_strip(strip, winner.get(strip.cell)) for strip in strips(problem.ratings, points, winner)]
    )


def _winner(session: Session, search_id: UUID, space: Space) -> dict[CellRef, int]:
    """The numbers of the paths that the winner takes."""
    values = searches.selected(session, search_id)
    blocks = values["winner"]["architecture"]["blocks"] if values else []
    cells = [(CellRef(number, block["cell"]), block["ops"]) for number, block in enumerate(blocks, 1)]
    return {ref: space.path_index(space.cell(ref), ops) for ref, ops in cells}


def _strip(strip: Strip, chosen: int | None) -> RatingStrip:
    shown = [
        StripPath.model_construct(
            index=each.index,
            rank=each.rank,
            loss=each.loss,
            ops=[op.name for op in each.ops],
            flops=each.cost.flops,
            params=each.cost.params,
            chosen=each.index == chosen,
        )
        for each in strip.candidates
    ]
    return RatingStrip.model_construct(
        block=strip.cell.block,
        cell=strip.cell.cell,
        paths=strip.paths,
        min=strip.min,
        median=strip.median,
        max=strip.max,
        items=shown,
    )
