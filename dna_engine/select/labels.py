"""Partial networks grown block by block, and the reasons to drop them. Torch-free.

A label is a partial network from the first block on, so its loss is the very float that a sum from left to right gives.
It is dropped when no completion can stay within a limit, when a Lagrangian bound shows that none can come below a
threshold, or when another label of the same width is at least as good in all that may still matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dna_engine.select.limits import Limits
from dna_engine.select.pareto import undominated
from dna_engine.select.trellis import FLOPS, PARAMS, Arc, Floats, Ints, Trellis, completions

_PAIRS = 1 << 20
_SAFETY = 1e-11
"""Relative slack on float bounds, over a thousand times what the sums behind them can round away."""


@dataclass(frozen=True, eq=False)
class Found:
    """A network: the position of its item in every block, its loss and its costs."""

    positions: tuple[int, ...]
    loss: float
    costs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Labels:
    """Partial networks at one place, ``n`` of them.

    Attributes:
        width: where they have arrived.
        costs: shape ``(rows, n)``.
        order: their lexicographic order by positions, as any increasing numbers.
        parent: index of the label each grew from, at the place before.
        position: of the item it added.
    """

    width: Ints
    loss: Floats
    costs: Ints
    order: Ints
    parent: Ints
    position: Ints

    def take(self, index: Ints) -> Labels:
        return Labels(
            self.width[index],
            self.loss[index],
            self.costs[:, index],
            self.order[index],
            self.parent[index],
            self.position[index],
        )

    @classmethod
    def join(cls, parts: Sequence[Labels]) -> Labels:
        return cls(
            np.concatenate([part.width for part in parts]),
            np.concatenate([part.loss for part in parts]),
            np.concatenate([part.costs for part in parts], axis=1),
            np.concatenate([part.order for part in parts]),
            np.concatenate([part.parent for part in parts]),
            np.concatenate([part.position for part in parts]),
        )

    @property
    def ties(self) -> Ints:
        """Indices in the order that breaks ties of the loss: flops, params, positions."""
        return np.lexsort((self.order, self.costs[PARAMS], self.costs[FLOPS]))


@dataclass(frozen=True, eq=False)
class _PricedArc:
    """An arc whose items are sorted by ``bound``: loss, priced costs and the least that may follow."""

    arc: Arc
    bound: Floats


class Growth:
    """Labels under given limits and multipliers.

    Args:
        multipliers: shape ``(limits,)``, the price of a limit's worth of each limited cost.
    """

    def __init__(self, trellis: Trellis, limits: Limits, multipliers: Floats) -> None:
        self._trellis = trellis
        self._limits = limits
        self._prices = multipliers / limits.scale
        priced = [[arc.loss + self._prices @ arc.costs[limits.rows] for arc in arcs] for arcs in trellis.stages]
        rest = completions(trellis, [[float(values.min()) for values in stage] for stage in priced])
        self._arcs = [
            [_sorted(arc, values + rest[place][arc.target]) for arc, values in zip(arcs, stage, strict=True)]
            for place, (arcs, stage) in enumerate(zip(trellis.stages, priced, strict=True), start=1)
        ]
        self._positions = [1 + max(int(arc.position.max()) for arc in arcs) for arcs in trellis.stages]
        self._allowance = float(self._prices @ limits.limit)
        self._slack = _SAFETY * sum(
            max(float(np.abs(values).max()) for values in stage) + max(float(np.abs(arc.loss).max()) for arc in arcs)
            for arcs, stage in zip(trellis.stages, priced, strict=True)
        )

    def best(self, threshold: float) -> Found | None:
        """The best network of those kept; if its loss is at most ``threshold``, the best of all."""
        labels = _root(self._trellis)
        history: list[Labels] = []
        room = threshold + self._allowance + self._slack
        for place in range(1, len(self._trellis) + 1):
            labels = self._grow(place, labels, room)
            if len(labels.loss) == 0:
                return None
            history.append(labels)
        ties = labels.ties
        return _trace(history, int(ties[np.argmin(labels.loss[ties])]))

    def _grow(self, place: int, labels: Labels, room: float) -> Labels:
        """All labels worth keeping after block ``place``."""
        parts = [part for priced in self._arcs[place - 1] for part in self._extend(place, labels, priced, room)]
        joined = Labels.join(parts) if parts else labels.take(np.zeros(0, dtype=np.int64))
        kept = np.concatenate(
            [self._undominated(place, joined, width) for width in np.unique(joined.width)] or [joined.parent]
        )
        labels = joined.take(kept)
        labels.order[np.argsort(labels.order)] = np.arange(len(kept))
        return labels

    def _undominated(self, place: int, labels: Labels, width: int) -> Ints:
        here = np.flatnonzero(labels.width == width)
        part = labels.take(here)
        return here[undominated(part.ties, self._limits.effective(place, width, part.costs), part.loss)]

    def _extend(self, place: int, labels: Labels, priced: _PricedArc, room: float) -> Iterator[Labels]:
        """Labels with an item of the arc added, where bound and limits allow."""
        arc, limits = priced.arc, self._limits
        here = np.flatnonzero(labels.width == arc.source)
        effective = limits.effective(place - 1, arc.source, labels.costs[:, here])
        value = labels.loss[here] + self._prices @ effective
        counts = np.searchsorted(priced.bound, room - value, side="right")
        for chunk in _chunks(counts):
            left, item = _pairs(here[chunk], counts[chunk])
            met = limits.feasible(
                place, arc.target, labels.costs[limits.rows][:, left] + arc.costs[limits.rows][:, item]
            )
            left, item = left[met], item[met]
            yield Labels(
                width=np.full(len(left), arc.target),
                loss=labels.loss[left] + arc.loss[item],
                costs=labels.costs[:, left] + arc.costs[:, item],
                order=labels.order[left] * self._positions[place - 1] + arc.position[item],
                parent=left,
                position=arc.position[item],
            )


def _sorted(arc: Arc, bound: Floats) -> _PricedArc:
    order = np.argsort(bound)
    return _PricedArc(arc.take(order), bound[order])


def _root(trellis: Trellis) -> Labels:
    rows = len(trellis.stages[0][0].costs)
    nothing = np.zeros(1, dtype=np.int64)
    return Labels(nothing + trellis.start, np.zeros(1), np.zeros((rows, 1), dtype=np.int64), nothing, nothing, nothing)


def _chunks(counts: Ints) -> Iterator[slice]:
    """Runs of labels with together about as many pairs as memory should hold at once."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + _PAIRS, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _pairs(labels: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Each label with each of its first ``counts`` items."""
    left = np.repeat(labels, counts)
    item = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    return left, item


def _trace(history: Sequence[Labels], index: int) -> Found:
    last = history[-1]
    positions = []
    at = index
    for labels in reversed(history):
        positions.append(int(labels.position[at]))
        at = int(labels.parent[at])
    costs = tuple(int(cost) for cost in last.costs[:, index])
    return Found(tuple(reversed(positions)), float(last.loss[index]), costs)
