"""Limits on costs, and what may still be added to a partial network under them. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dna_engine.select.trellis import Bools, Floats, Ints, Trellis


@dataclass(frozen=True, eq=False)
class Remaining:
    """What the rest of a network may still add to the ``k`` limited costs, from each of ``w`` widths on.

    Attributes:
        widths: shape ``(w,)``, ascending.
        least, most: shape ``(k, w)``.
    """

    widths: Ints
    least: Ints
    most: Ints


@dataclass(frozen=True, eq=False)
class Limits:
    """Limits that can bind, ``k`` of them.

    Attributes:
        rows: shape ``(k,)``, which of the arcs' costs are limited.
        limit: shape ``(k,)``.
        scale: shape ``(k,)``; costs are priced in parts of it, so that multipliers are of a size.
        remaining: per place, from before the first block to behind the last.
    """

    rows: Ints
    limit: Ints
    scale: Floats
    remaining: list[Remaining]

    def effective(self, place: int, width: Ints, costs: Ints) -> Ints:
        """Limited costs of labels, shape ``(k, n)``, raised to where no completion breaks the limit any more.

        Below that point a smaller cost is no advantage, so labels there may count as equal.
        """
        rest = self.remaining[place]
        floor = self.limit[:, None] - rest.most
        raised: Ints = np.maximum(costs[self.rows], floor[:, np.searchsorted(rest.widths, width)])
        return raised

    def feasible(self, place: int, width: int, limited: Ints) -> Bools:
        """Which labels at a width can be completed within each limit alone; ``limited`` has shape ``(k, n)``."""
        rest = self.remaining[place]
        room = self.limit - rest.least[:, np.searchsorted(rest.widths, width)]
        met: Bools = np.all(limited <= room[:, None], axis=0)
        return met


def bind(trellis: Trellis, limits: Mapping[int, int]) -> Limits | None:
    """The limits that some network breaks, or None where all networks break one."""
    spans = {row: trellis.span(row) for row in limits}
    if any(limit < spans[row][0] for row, limit in limits.items()):
        return None
    rows = np.array([row for row, limit in limits.items() if limit < spans[row][1]], dtype=np.int64)
    bounds = np.array([limits[row] for row in rows.tolist()], dtype=np.int64)
    return Limits(
        rows=rows,
        limit=bounds,
        scale=np.maximum(np.abs(bounds), 1).astype(np.float64),
        remaining=_remaining(trellis, rows),
    )


def _remaining(trellis: Trellis, rows: Ints) -> list[Remaining]:
    widths = [sorted(place) for place in trellis.completions(lambda _: 0)]
    least, most = [trellis.least(row) for row in rows], [trellis.most(row) for row in rows]
    return [
        Remaining(
            widths=np.array(at, dtype=np.int64),
            least=_table(at, [places[place] for places in least]),
            most=_table(at, [places[place] for places in most]),
        )
        for place, at in enumerate(widths)
    ]


def _table(widths: list[int], values: list[dict[int, int]]) -> Ints:
    return np.array([[value[width] for width in widths] for value in values], dtype=np.int64).reshape(-1, len(widths))
