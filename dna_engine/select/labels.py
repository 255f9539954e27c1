"""Partial networks at one place between blocks, as arrays. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dna_engine.select.trellis import FLOPS, PARAMS, Floats, Ints, Trellis


@dataclass(frozen=True, eq=False)
class Labels:
    """Partial networks from the first block on, ``n`` of them.

    Attributes:
        width: where they have arrived.
        loss: so far, summed from the left, so that it ends as the very float of the network.
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

    def __len__(self) -> int:
        return len(self.loss)

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
    def root(cls, trellis: Trellis) -> Labels:
        """The one empty network."""
        nothing = np.zeros(1, dtype=np.int64)
        costs = np.zeros((len(trellis.stages[0][0].costs), 1), dtype=np.int64)
        return cls(nothing + trellis.start, np.zeros(1), costs, nothing, nothing, nothing)

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

    def ranked(self) -> Labels:
        """The same labels with the smallest numbers that keep their order."""
        order = np.empty_like(self.order)
        order[np.argsort(self.order)] = np.arange(len(order))
        return replace(self, order=order)

    @property
    def ties(self) -> Ints:
        """Indices in the order that breaks ties of the loss: flops, params, positions."""
        return np.lexsort((self.order, self.costs[PARAMS], self.costs[FLOPS]))

    def leading(self, count: int, last: Found | None) -> Ints:
        """Indices of the best, best first: least in loss, then flops, then params, then positions.

        Args:
            last: none that have more loss, or as much and more flops, than this one.
        """
        open_ = np.ones(len(self), dtype=np.bool_)
        if last is not None:
            open_ = (self.loss < last.loss) | ((self.loss == last.loss) & (self.costs[FLOPS] <= last.costs[FLOPS]))
        left = np.flatnonzero(open_)
        if len(left) > count:
            loss = self.loss[left]
            left = left[loss <= np.partition(loss, count - 1)[count - 1]]
        keys = (self.order, self.costs[PARAMS], self.costs[FLOPS], self.loss)
        best: Ints = left[np.lexsort([key[left] for key in keys])[:count]]
        return best


@dataclass(frozen=True, eq=False)
class Found:
    """A network: the position of its item in every block, its loss and its costs."""

    positions: tuple[int, ...]
    loss: float
    costs: tuple[int, ...]

    @property
    def rank(self) -> tuple[float, int, int, tuple[int, ...]]:
        """The better network has the smaller one."""
        return self.loss, self.costs[FLOPS], self.costs[PARAMS], self.positions


def trace(history: Sequence[Labels], index: int) -> Found:
    """The network of a label of the last place, by its parents; the history starts with the root."""
    last = history[-1]
    positions = []
    at = index
    for labels in reversed(history[1:]):
        positions.append(int(labels.position[at]))
        at = int(labels.parent[at])
    return Found(tuple(reversed(positions)), float(last.loss[index]), tuple(last.costs[:, index].tolist()))


def chunks(counts: Ints, size: int) -> Iterator[slice]:
    """Runs of labels whose counts add up to about ``size``, one label at least."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = int(total[start - 1]) if start else 0
        stop = max(int(np.searchsorted(total, done + size, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def pairs(labels: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Each label with each of its first ``counts`` items."""
    left = np.repeat(labels, counts)
    item = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    return left, item
