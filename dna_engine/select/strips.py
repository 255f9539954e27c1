"""The candidates of each cell in the order of their ratings, and of many those that show the whole. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dna_engine.select.ratings import Ratings
from dna_engine.select.trellis import Ints
from dna_engine.space import CellRef, Op
from dna_engine.space.cost import Cost, block_sizes, layer_at, layer_cost

#: The best, which are always among them.
BEST = 10


@dataclass(frozen=True)
class Candidate:
    """A path of a cell.

    Attributes:
        index: of the path, in product order of the ops.
        rank: from 1, the best; of equal losses the first path is before.
        cost: of its layers behind the width that the cell was rated with, without stem and head.
    """

    index: int
    rank: int
    loss: float
    ops: tuple[Op, ...]
    cost: Cost


@dataclass(frozen=True)
class Strip:
    """A cell with what its losses come to, and some of its ``paths`` candidates, best first."""

    cell: CellRef
    paths: int
    min: float
    median: float
    max: float
    candidates: list[Candidate]


def strips(ratings: Ratings, most: int, among: Mapping[CellRef, int]) -> list[Strip]:
    """Every cell with at most so many candidates: the best ten, the worst, and of the others some spread evenly over their ranks.

    Args:
        among: paths by their numbers that are to be among those of their cells, whatever their ranks.
    """
    return [_strip(ratings, ref, most, among.get(ref)) for ref in ratings.space.cells]


def _strip(ratings: Ratings, ref: CellRef, most: int, wanted: int | None) -> Strip:
    losses, cell = ratings.losses[ref], ratings.space.cell(ref)
    by_rank = np.argsort(losses, kind="stable")
    ranks = spread(len(losses), most)
    if wanted is not None and wanted not in by_rank[ranks]:
        ranks = np.union1d(spread(len(losses), most - 1), np.flatnonzero(by_rank == wanted))
    indices = by_rank[ranks]
    tables = _tables(ratings, ref)
    candidates = [
        Candidate(index, rank + 1, float(losses[index]), ratings.space.path(cell, index), _cost(tables, index))
        for rank, index in zip(ranks.tolist(), indices.tolist(), strict=True)
    ]
    return Strip(ref, len(losses), float(losses.min()), float(np.median(losses)), float(losses.max()), candidates)


def spread(count: int, most: int) -> Ints:
    """At most so many of ``count`` ranks from 0: all where they are no more, else the first :data:`BEST` and some that lie evenly behind,
    the last among them.
    """
    if count <= most:
        return np.arange(count)
    further = np.linspace(BEST, count - 1, most - BEST).round().astype(np.int64)
    return np.concatenate([np.arange(BEST), further])


def _tables(ratings: Ratings, ref: CellRef) -> list[list[Cost]]:
    """What each op offered costs, layer by layer."""
    space, cell = ratings.space, ratings.space.cell(ref)
    in_size = block_sizes(space, ratings.input_size)[ref.block - 1]
    width = space.in_width(ref.block)
    return [
        [
            layer_cost(layer_at(space, ref.block, cell, index, op, in_width=width, in_size=in_size))
            for op in space.layer_ops(index)
        ]
        for index in range(cell.depth)
    ]


def _cost(tables: Sequence[Sequence[Cost]], index: int) -> Cost:
    """Of the path of that number."""
    total = Cost()
    for table in reversed(tables):
        index, choice = divmod(index, len(table))
        total += table[choice]
    return total
