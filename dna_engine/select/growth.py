"""Growing partial networks block by block, and the reasons to drop them. Torch-free.

A label is dropped when no completion can stay within a limit, when a Lagrangian bound shows that none can come below a
threshold, or when as many other labels of the same width as networks are asked for are at least as good in all that may
still matter: each of its completions then comes behind theirs. The last two blocks are passed without that third test, in
portions, best bounds first: networks found early lower the threshold for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dna_engine.select.allowance import Allowance
from dna_engine.select.labels import Found, Labels, chunks, pairs, trace
from dna_engine.select.limits import Limits
from dna_engine.select.pareto import undominated
from dna_engine.select.trellis import Arc, Floats, Ints, Trellis

_PAIRS = 1 << 17
_FIRST_LABELS = 64
"""Labels of the first portion, half; each further one has twice those before it, where its pairs are not too many."""

_COMPARED = 50
"""Steps of an allowance that it takes to hold a label against others."""

_LIGHT = 8
"""So many limits double what a label takes, of time and memory."""

_SAFETY = 1e-11
"""Relative slack on float bounds, over a thousand times what the sums behind them can round away."""


@dataclass(frozen=True, eq=False)
class _PricedArc:
    """The items of an arc that may matter, sorted by ``bound``: loss, priced costs and the least that may follow.

    ``limited`` are their limited costs, shape ``(limits, items)``.
    """

    arc: Arc
    bound: Floats
    limited: Ints


class Growth:
    """Labels under given limits and multipliers.

    Args:
        ceiling: a loss that as many networks as are asked for are known to reach, or one that none exceeds; items that
            cannot help to come as low are left out from the start.
        count: how many networks are asked for.
        multipliers: shape ``(limits,)``, the price of a scale's worth of each limited cost; at least 0.
        allowance: what the growing may take; TooHard is raised where it takes more.
    """

    def __init__(
        self, trellis: Trellis, limits: Limits, multipliers: Floats, ceiling: float, count: int, allowance: Allowance
    ) -> None:
        self._allowance = allowance
        self._count = count
        self._trellis = trellis
        self._limits = limits
        self._weight = 1 + len(limits.rows) // _LIGHT
        self._pairs = max(_PAIRS // self._weight, 1)
        self._prices = multipliers / limits.scale
        self._priced_limits = float(self._prices @ limits.limit)
        priced = {arc: arc.loss + self._prices @ arc.costs[limits.rows] for arcs in trellis.stages for arc in arcs}
        self._slack = _SAFETY * sum(
            max(float(np.abs(arc.loss).max() + np.abs(priced[arc]).max()) for arc in arcs) for arcs in trellis.stages
        )
        before = trellis.arrivals(lambda arc: float(priced[arc].min()))
        rest = trellis.completions(lambda arc: float(priced[arc].min()))
        self._rest = [np.array([value for _, value in sorted(place.items())]) for place in rest]
        self._arcs = [
            [
                self._priced(
                    arc, priced[arc] + rest[place][arc.target], self._room(ceiling) - before[place - 1][arc.source]
                )
                for arc in arcs
            ]
            for place, arcs in enumerate(trellis.stages, start=1)
        ]
        self._positions = [1 + max(int(arc.position.max()) for arc in arcs) for arcs in trellis.stages]

    def _priced(self, arc: Arc, bound: Floats, room: float) -> _PricedArc:
        matters = np.flatnonzero(bound <= room)
        index = matters[np.argsort(bound[matters], kind="stable")]
        return _PricedArc(arc.take(index), bound[index], arc.costs[np.ix_(self._limits.rows, index)])

    def leading(self, threshold: float, beam: int | None = None) -> tuple[list[Found], bool]:
        """The best networks found, best first, as many as are asked for; and whether the search was complete.

        When it was complete, those found with a loss up to ``threshold`` are the best of all, and there are no more.

        Args:
            beam: go on from at most this many labels after each block, those of the least bounds.
        """
        history, complete = [Labels.root(self._trellis)], True
        for place in range(1, len(self._trellis) - 1):
            grown = self._extend(history[-1], np.arange(len(history[-1])), place, threshold)
            if beam is not None and len(grown) > beam:
                complete = False
                grown = grown.take(np.argsort(self._bounds(grown, place), kind="stable")[:beam])
            history.append(self._undominated(grown, place).ranked())
        return self._finish(history, threshold, []), complete

    def _room(self, threshold: float) -> float:
        """What a bound on loss and priced costs may be."""
        return threshold + self._priced_limits + self._slack

    def _bounds(self, labels: Labels, place: int) -> Floats:
        """Lower bounds on loss and priced costs over all completions that keep the limits."""
        effective = self._limits.effective(place, labels.width, labels.costs)
        rest = self._rest[place][np.searchsorted(self._limits.remaining[place].widths, labels.width)]
        bounds: Floats = labels.loss + self._prices @ effective + rest
        return bounds

    def _undominated(self, labels: Labels, place: int) -> Labels:
        """The labels worth keeping."""
        self._allowance.spend(_COMPARED * self._weight * len(labels))
        effective, bounds = self._limits.effective(place, labels.width, labels.costs), self._bounds(labels, place)
        kept = [np.zeros(0, dtype=np.int64)]
        for width in np.unique(labels.width):
            here = np.flatnonzero(labels.width == width)
            part = labels.take(here)
            kept.append(here[undominated(part.ties, effective[:, here], part.loss, bounds[here], self._count)])
        return labels.take(np.concatenate(kept))

    def _finish(self, history: Sequence[Labels], threshold: float, known: list[Found]) -> list[Found]:
        """The best networks of those known and those that grow from the last labels of the history."""
        labels, place = history[-1], len(history) - 1
        if place == len(self._trellis):
            last = known[-1] if len(known) == self._count else None
            fresh = [trace(history, index) for index in labels.leading(self._count, last).tolist()]
            return sorted([*known, *fresh], key=lambda found: found.rank)[: self._count]
        bounds = self._bounds(labels, place)
        order = np.argsort(bounds, kind="stable")
        portion = order[:_FIRST_LABELS]
        while len(order):
            portion = self._portion(labels, order[: 2 * len(portion)], place + 1, self._room(threshold))
            order = order[len(portion) :]
            grown = self._extend(labels, portion, place + 1, threshold)
            if len(grown):
                known = self._finish([*history, grown], threshold, known)
            if len(known) == self._count and known[-1].loss < threshold:
                threshold = known[-1].loss
                order = order[: np.searchsorted(bounds[order], self._room(threshold), side="right")]
        return known

    def _portion(self, labels: Labels, index: Ints, place: int, room: float) -> Ints:
        """As many of the labels at ``index``, the first ones, as make no more pairs with items than one portion holds."""
        counts = np.zeros(len(index), dtype=np.int64)
        for priced in self._arcs[place - 1]:
            here = np.flatnonzero(labels.width[index] == priced.arc.source)
            counts[here] += self._admitted(labels.take(index[here]), place, priced, room)
        return index[next(chunks(counts, self._pairs))]

    def _admitted(self, labels: Labels, place: int, priced: _PricedArc, room: float) -> Ints:
        """How many of an arc's items, the first ones, leave each label's bound within the room."""
        effective = self._limits.effective(place - 1, labels.width, labels.costs)
        return np.searchsorted(priced.bound, room - labels.loss - self._prices @ effective, side="right")

    def _extend(self, labels: Labels, index: Ints, place: int, threshold: float) -> Labels:
        """The labels at ``index`` with an item added, where bound and limits allow."""
        parts = [labels.take(index[:0])]
        for priced in self._arcs[place - 1]:
            here = index[labels.width[index] == priced.arc.source]
            parts.extend(self._along(labels, here, place, priced, self._room(threshold)))
        return Labels.join(parts)

    def _along(self, labels: Labels, index: Ints, place: int, priced: _PricedArc, room: float) -> Iterator[Labels]:
        arc = priced.arc
        counts = self._admitted(labels.take(index), place, priced, room)
        for chunk in chunks(counts, self._pairs):
            self._allowance.spend(self._weight * int(counts[chunk].sum()))
            left, item = pairs(index[chunk], counts[chunk])
            limited = labels.costs[np.ix_(self._limits.rows, left)] + priced.limited[:, item]
            met = self._limits.feasible(place, arc.target, limited)
            left, item = left[met], item[met]
            grown = Labels(
                width=np.full(len(left), arc.target),
                loss=labels.loss[left] + arc.loss[item],
                costs=labels.costs[:, left] + arc.costs[:, item],
                order=labels.order[left] * self._positions[place - 1] + arc.position[item],
                parent=left,
                position=arc.position[item],
            )
            yield grown.take(np.flatnonzero(self._bounds(grown, place) <= room))
