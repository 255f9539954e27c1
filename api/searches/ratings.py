"""Answers from finished ratings: pages of candidates, the frontier, and networks for a new budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from api.errors import Invalid
from api.pagination import Page, decode, encode, invalid_cursor
from api.searches.schemas import Cost, FrontierOut, FrontierPoint, LookedAt, Rating, Selected, SelectIn, Selection
from api.searches.service import SELECTION_STEPS
from dna_engine.plans import results
from dna_engine.plans.results import Finalist
from dna_engine.select import Allowance, Network, Problem, best, frontier
from dna_engine.space import CellRef
from store import architectures, searches
from store.columns import Json
from store.states import Role

_NO_LATENCY = "No latency was measured for this search: its budget had no latency_ms"


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


def whole_frontier(session: Session, search_id: UUID, problem: Problem, cost: Cost) -> FrontierOut:
    """Every point with its network.

    Raises:
        Invalid: latency, where none was measured.
    """
    if cost not in problem.cost_names:
        raise Invalid(f"{_NO_LATENCY}.", errors=[{"parameter": "cost", "detail": _NO_LATENCY}])
    front, alike = frontier(problem, cost), _alike(session, search_id)
    networks = (front.network(index) for index in range(len(front)))
    return FrontierOut(cost=cost, points=[_point(network, cost, alike) for network in networks])


def _point(network: Network, cost: Cost, alike: Json) -> FrontierPoint:
    return FrontierPoint(
        cost=network.costs[cost],
        loss=network.loss,
        flops=network.costs["flops"],
        params=network.costs["params"],
        latency_ns=network.costs.get("latency_ns"),
        architecture=network.architecture.to_json() | alike,
    )


def _alike(session: Session, search_id: UUID) -> Json:
    """What the descriptions of all networks of a search share: how a picture becomes an input. The winner's has it."""
    (winner,) = architectures.of_search(session, search_id, role=Role.WINNER)
    return {"preprocessing": winner.architecture["preprocessing"]}


def select(session: Session, search_id: UUID, problem: Problem, asked: SelectIn) -> Selection:
    """The best networks within a budget, each kept as an architecture of the search.

    Raises:
        InfeasibleBudget: no network fits.
        TooHard: the selection takes longer than a request may.
        Invalid: a limit on latency where none was measured.
    """
    limits = asked.budget.limits
    if "latency_ns" in limits and "latency_ns" not in problem.cost_names:
        raise Invalid(f"{_NO_LATENCY}.", errors=[{"pointer": "#/budget/latency_ms", "detail": _NO_LATENCY}])
    session.rollback()  # What was read is done with: no transaction waits while this computes.
    found = best(problem, limits, asked.top_k, asked.min_distance, Allowance(SELECTION_STEPS))
    alike = _alike(session, search_id)
    finalists = _finalists(session, search_id)
    return Selection(architectures=[_keep(session, search_id, network, alike, finalists) for network in found.networks])


def _finalists(session: Session, search_id: UUID) -> list[Finalist]:
    """Those that the search has looked at whole."""
    step = searches.selection(session, search_id)
    return results.Selected.model_validate(step.values).finalists if step else []


def _keep(session: Session, search_id: UUID, network: Network, alike: Json, finalists: Sequence[Finalist]) -> Selected:
    row = architectures.select_network(
        session,
        search_id,
        network.architecture.to_json() | alike,
        loss=network.loss,
        flops=network.costs["flops"],
        params=network.costs["params"],
        latency_ns=network.costs.get("latency_ns"),
    )
    blocks = network.to_json()["blocks"]
    tried = next((finalist for finalist in finalists if finalist.blocks == blocks), None)
    return Selected(
        id=row.id,
        role=row.role,
        loss=network.loss,
        flops=row.flops,
        params=row.params,
        latency_ns=row.latency_ns,
        looked_at=tried and LookedAt(log_loss=tried.log_loss, accuracy=tried.accuracy),
        architecture=row.architecture,
    )
