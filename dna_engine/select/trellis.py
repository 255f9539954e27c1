"""The space with its ratings and costs, laid out for exact selection: blocks in a row, widths between them. Torch-free.

A network is a walk through the trellis: it leaves each block at the width of the cell it chose there, and that width
is all that the next block's cost depends on. So *items* (a path of a cell) are grouped into *arcs*, all items of a block
that lead from one width to another, and costs and losses add up along a walk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dna_engine.select.latency import LatencyTable
from dna_engine.select.ratings import Ratings
from dna_engine.space import Cell, CellRef, Space
from dna_engine.space.cost import block_sizes, head_cost, in_widths, layer_at, layer_cost, stem_cost

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FLOPS, PARAMS = 0, 1
"""Rows of an arc's costs that are always there; they break ties."""


@dataclass(frozen=True, eq=False)
class Arc:
    """The items of a block between two widths.

    Attributes:
        position: shape ``(items,)``, ascending; numbers the paths of the block, cell after cell. Comparing positions
            block by block is the lexicographic order of networks.
        loss: shape ``(items,)``, the block's weight included.
        costs: shape ``(rows, items)``; the first block also carries the stem's, the last the head's.
    """

    source: int
    target: int
    position: Ints
    loss: Floats
    costs: Ints

    def take(self, index: Ints) -> Arc:
        return replace(self, position=self.position[index], loss=self.loss[index], costs=self.costs[:, index])

    def find(self, position: int) -> Ints:
        """Index of the item at a position, in an array that is empty where another arc holds it."""
        return np.flatnonzero(self.position == position)


@dataclass(frozen=True, eq=False)
class Trellis:
    """``stages[b]`` holds the arcs of block ``b + 1``; ``start`` is the width before the first."""

    start: int
    stages: tuple[tuple[Arc, ...], ...]

    def __len__(self) -> int:
        return len(self.stages)

    def minimizing(self, row: int) -> Trellis:
        """The same trellis with a cost in the place of the losses, exact while totals stay below 2**53."""
        return self._map(lambda _, arc: replace(arc, loss=arc.costs[row].astype(np.float64)))

    def with_row(self, values: Sequence[Ints]) -> Trellis:
        """One more row of costs: for each block, a value per position."""
        return self._map(lambda b, arc: replace(arc, costs=np.vstack([arc.costs, values[b][arc.position]])))

    def _map(self, change: Callable[[int, Arc], Arc]) -> Trellis:
        stages = tuple(tuple(change(b, arc) for arc in arcs) for b, arcs in enumerate(self.stages))
        return Trellis(self.start, stages)

    def completions(self, value: Callable[[Arc], float]) -> list[dict[int, float]]:
        """Least sum of the arcs' values that may follow each width, at every place.

        Places count from 0, before the first block, to the last block; behind that nothing follows.
        """
        after: dict[int, float] = {arc.target: 0 for arc in self.stages[-1]}
        places = [after]
        for arcs in reversed(self.stages):
            before: dict[int, float] = {}
            for arc in arcs:
                total = value(arc) + after[arc.target]
                before[arc.source] = min(before.get(arc.source, total), total)
            places.append(before)
            after = before
        return places[::-1]

    def arrivals(self, value: Callable[[Arc], float]) -> list[dict[int, float]]:
        """Least sum of the arcs' values on the way to each width, at every place."""
        places: list[dict[int, float]] = [{self.start: 0}]
        for arcs in self.stages:
            after: dict[int, float] = {}
            for arc in arcs:
                total = places[-1][arc.source] + value(arc)
                after[arc.target] = min(after.get(arc.target, total), total)
            places.append(after)
        return places

    def least(self, row: int) -> list[dict[int, int]]:
        """Per place and width, the smallest total of a cost that the rest of a network may have."""
        places = self.completions(lambda arc: int(arc.costs[row].min()))
        return [{width: int(value) for width, value in place.items()} for place in places]

    def most(self, row: int) -> list[dict[int, int]]:
        """Likewise the largest."""
        places = self.completions(lambda arc: -int(arc.costs[row].max()))
        return [{width: -int(value) for width, value in place.items()} for place in places]

    def span(self, row: int) -> tuple[int, int]:
        """Smallest and largest total of a cost over all networks."""
        return self.least(row)[0][self.start], self.most(row)[0][self.start]

    def total(self, positions: Sequence[int]) -> tuple[float, Ints]:
        """Loss, summed from the first block on, and costs of one network."""
        width, loss, costs = self.start, 0.0, np.zeros(len(self.stages[0][0].costs), dtype=np.int64)
        for arcs, position in zip(self.stages, positions, strict=True):
            arc, item = next((arc, item) for arc in arcs if arc.source == width for item in arc.find(position))
            width, loss, costs = arc.target, loss + float(arc.loss[item]), costs + arc.costs[:, item]
        return loss, costs

    def costs(self, positions: Ints) -> Ints:
        """Costs of many networks: positions of shape ``(networks, blocks)`` give ``(networks, rows)``."""
        total = np.zeros((len(positions), len(self.stages[0][0].costs)), dtype=np.int64)
        width = np.full(len(positions), self.start)
        for arcs, taken in zip(self.stages, positions.T, strict=True):
            after = width.copy()
            for arc in arcs:
                item = np.searchsorted(arc.position, taken).clip(max=len(arc.position) - 1)
                here = (width == arc.source) & (arc.position[item] == taken)
                total[here] += arc.costs[:, item[here]].T
                after[here] = arc.target
            width = after
        return total


def build_trellis(ratings: Ratings, weights: Sequence[float], latency: LatencyTable | None) -> Trellis:
    """All paths of all cells, with their costs behind every width that may come before them."""
    space = ratings.space
    sizes = block_sizes(space, ratings.input_size)
    stages = []
    for number, weight in enumerate(weights, start=1):
        block = space.blocks[number - 1]
        groups: dict[tuple[int, int], list[Arc]] = {}
        offset = 0
        for index, cell in enumerate(block.cells, start=1):
            count = space.path_count(cell)
            position = np.arange(offset, offset + count)
            loss = weight * ratings.losses[CellRef(number, index)]
            tails = _tail_costs(space, number, cell, sizes[number - 1], latency)
            for width in in_widths(space, number):
                heads = _op_costs(space, number, cell, 0, width, sizes[number - 1], latency)
                costs = _outer_sum(heads, tails) + _ends(ratings, number, cell.width, sizes[-1], latency)
                groups.setdefault((width, cell.width), []).append(Arc(width, cell.width, position, loss, costs))
            offset += count
        stages.append(tuple(_join(arcs) for arcs in groups.values()))
    return Trellis(space.first_width, tuple(stages))


def _join(arcs: Sequence[Arc]) -> Arc:
    return Arc(
        source=arcs[0].source,
        target=arcs[0].target,
        position=np.concatenate([arc.position for arc in arcs]),
        loss=np.concatenate([arc.loss for arc in arcs]),
        costs=np.concatenate([arc.costs for arc in arcs], axis=1),
    )


def _outer_sum(first: Ints, rest: Ints) -> Ints:
    """Costs of every pair, in product order: shapes ``(rows, m)`` and ``(rows, n)`` give ``(rows, m * n)``."""
    return (first[:, :, None] + rest[:, None, :]).reshape(len(first), -1)


def _op_costs(
    space: Space, block: int, cell: Cell, index: int, in_width: int, in_size: int, latency: LatencyTable | None
) -> Ints:
    """Costs of the ops offered at a layer, shape ``(rows, ops)``."""
    layers = [
        layer_at(space, block, cell, index, op, in_width=in_width, in_size=in_size) for op in space.layer_ops(index)
    ]
    counted = [layer_cost(layer) for layer in layers]
    rows = [[cost.flops for cost in counted], [cost.params for cost in counted]]
    if latency is not None:
        rows.append([latency.layer(layer) for layer in layers])
    return np.array(rows, dtype=np.int64)


def _tail_costs(space: Space, block: int, cell: Cell, in_size: int, latency: LatencyTable | None) -> Ints:
    """Costs of every choice for the layers after the first; these layers are all alike."""
    total = np.zeros((2 if latency is None else 3, 1), dtype=np.int64)
    if cell.depth == 1:
        return total
    layer = _op_costs(space, block, cell, 1, cell.width, in_size, latency)
    for _ in range(cell.depth - 1):
        total = _outer_sum(total, layer)
    return total


def _ends(ratings: Ratings, number: int, width: int, size: int, latency: LatencyTable | None) -> Ints:
    """What every network pays in its first block for the stem and in its last for the head, shape ``(rows, 1)``."""
    space = ratings.space
    total = np.zeros((2 if latency is None else 3, 1), dtype=np.int64)
    if number == 1:
        stem = stem_cost(space, in_chans=ratings.in_chans, input_size=ratings.input_size)
        total[:2, 0] += (stem.flops, stem.params)
        total[2:] += latency.stem if latency else 0
    if number == len(space.blocks):
        head = head_cost(width, space.head_width, ratings.num_classes, size)
        total[:2, 0] += (head.flops, head.params)
        total[2:] += latency.head(width) if latency else 0
    return total
