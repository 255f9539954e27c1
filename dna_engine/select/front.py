"""The whole Pareto frontier of one cost and the loss over all networks, exactly. Torch-free.

Partial networks are merged block by block from the first, each width apart: of two at the same width, one that has no
less cost and no less loss is never needed (the list merging of Nemhauser and Ullmann 1969). Sums run from left to
right, so every loss on the frontier is the very float of its network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dna_engine.select.pareto import descents
from dna_engine.select.problem import Network, Problem
from dna_engine.select.trellis import Arc, Bools, Floats, Ints, Trellis


@dataclass(frozen=True, eq=False)
class _Front:
    """Partial networks at one place and width, none of them needless, by ascending cost and descending loss.

    Attributes:
        source: the width each came from; ``parent`` is its index in the front there.
        position: of the item each added.
    """

    cost: Ints
    loss: Floats
    source: Ints
    parent: Ints
    position: Ints


class Frontier:
    """Points by ascending cost and descending loss; every other network has no less of both than one of them.

    Attributes:
        cost: name of the cost.
        costs: shape ``(points,)``, whole numbers.
        losses: shape ``(points,)``.
    """

    def __init__(self, problem: Problem, cost: str) -> None:
        self.cost = cost
        self._problem = problem
        self._history = _merge(problem.trellis, problem.row(cost))
        ends = self._history[-1]
        costs = np.concatenate([front.cost for front in ends.values()])
        losses = np.concatenate([front.loss for front in ends.values()])
        kept = _staircase(costs, losses)
        self.costs, self.losses = costs[kept], losses[kept]
        self._width = np.concatenate([np.full(len(front.cost), width) for width, front in ends.items()])[kept]
        self._index = np.concatenate([np.arange(len(front.cost)) for front in ends.values()])[kept]

    def __len__(self) -> int:
        return len(self.costs)

    def network(self, point: int) -> Network:
        """The network at a point."""
        return self._problem.network(self.positions(np.array([point]))[0].tolist())

    def positions(self, points: Ints) -> Ints:
        """What the networks at some points take of each block, shape ``(points, blocks)``: found by walking back through the merges."""
        width, index = self._width[points], self._index[points]
        taken = np.empty((len(points), len(self._history)), dtype=np.int64)
        for block in reversed(range(len(self._history))):
            fronts = [(front, width == target) for target, front in self._history[block].items()]
            before = width.copy()
            for front, here in fronts:
                at = index[here]
                taken[here, block] = front.position[at]
                before[here], index[here] = front.source[at], front.parent[at]
            width = before
        return taken

    def to_json(self) -> dict[str, Any]:
        """``{"cost": NAME, "points": [[cost, loss], ...]}``."""
        points = [[cost, loss] for cost, loss in zip(self.costs.tolist(), self.losses.tolist(), strict=True)]
        return {"cost": self.cost, "points": points}


def frontier(problem: Problem, cost: str = "flops") -> Frontier:
    """The exact frontier of a cost and the loss.

    Where networks tie in both cost and loss, one of them stands for all, always the same.

    Raises:
        InvalidSpec: there is no such cost.
    """
    return Frontier(problem, cost)


def _staircase(cost: Ints, loss: Floats) -> Ints:
    """Indices of the points that none other is as good as, by ascending cost; of equal points the first."""
    order = _ascending(cost)
    order = order[descents(loss[order])]
    # Among points of one cost only the last, the least loss, remains.
    last: Bools = np.append(np.diff(cost[order]) > 0, True)
    return order[last]


def _ascending(cost: Ints) -> Ints:
    """Indices by ascending cost, equal costs in their order.

    Sorting numbers is several times as fast as sorting indices by numbers, so both share one where they fit.
    """
    bits = len(cost).bit_length()
    if int(cost.max()) >= 1 << (63 - bits):
        return np.argsort(cost, kind="stable")
    keys: Ints = (cost << bits) | np.arange(len(cost))
    keys.sort()
    order: Ints = keys & ((1 << bits) - 1)
    return order


def _merge(trellis: Trellis, row: int) -> list[dict[int, _Front]]:
    """The fronts after each block, by width."""
    nothing = np.zeros(1, dtype=np.int64)
    fronts = {trellis.start: _Front(nothing, np.zeros(1), nothing, nothing, nothing)}
    history = []
    for arcs in trellis.stages:
        by_target: dict[int, list[Arc]] = {}
        for arc in arcs:
            by_target.setdefault(arc.target, []).append(arc.take(_staircase(arc.costs[row], arc.loss)))
        fronts = {target: _combine(fronts, arriving, row) for target, arriving in by_target.items()}
        history.append(fronts)
    return history


def _combine(fronts: dict[int, _Front], arcs: Sequence[Arc], row: int) -> _Front:
    """Every label with every item of the arcs that end in one width, reduced to a front."""
    cost = np.concatenate([np.add.outer(fronts[arc.source].cost, arc.costs[row]).ravel() for arc in arcs])
    loss = np.concatenate([np.add.outer(fronts[arc.source].loss, arc.loss).ravel() for arc in arcs])
    kept = _staircase(cost, loss)
    source, parent, position = (np.empty(len(kept), dtype=np.int64) for _ in range(3))
    for arc, offset in _offsets(fronts, arcs):
        size = len(fronts[arc.source].cost) * len(arc.loss)
        here = (offset <= kept) & (kept < offset + size)
        source[here] = arc.source
        parent[here], item = np.divmod(kept[here] - offset, len(arc.loss))
        position[here] = arc.position[item]
    return _Front(cost[kept], loss[kept], source, parent, position)


def _offsets(fronts: dict[int, _Front], arcs: Sequence[Arc]) -> Iterator[tuple[Arc, int]]:
    """Where the pairs of each arc begin."""
    offset = 0
    for arc in arcs:
        yield arc, offset
        offset += len(fronts[arc.source].cost) * len(arc.loss)
