"""Limits on costs, and what may still be added to a partial network under them. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dna_engine.select.trellis import Bools, Floats, Ints, Trellis, completions


@dataclass(frozen=True, eq=False)
class Limits:
    """Limits that can bind, ``k`` of them. Places count from 0, before the first block, to the last block.

    Attributes:
        rows: shape ``(k,)``, which of the arcs' costs are limited.
        limit: shape ``(k,)``.
        scale: shape ``(k,)``; costs are priced in parts of it, so that multipliers are of a size.
        least, most: per place and width, the least and most that the rest of a network adds; shape ``(k,)``.
    """

    rows: Ints
    limit: Ints
    scale: Floats
    least: list[dict[int, Ints]]
    most: list[dict[int, Ints]]

    def effective(self, place: int, width: int, costs: Ints) -> Ints:
        """Limited costs of labels, shape ``(k, n)``, raised to where no completion breaks the limit any more.

        Below that point a smaller cost is no advantage, so labels there may count as equal.
        """
        raised: Ints = np.maximum(costs[self.rows], (self.limit - self.most[place][width])[:, None])
        return raised

    def feasible(self, place: int, width: int, limited: Ints) -> Bools:
        """Which labels can be completed within each limit on its own; ``limited`` has shape ``(k, n)``."""
        met: Bools = np.all(limited <= (self.limit - self.least[place][width])[:, None], axis=0)
        return met


def bind(trellis: Trellis, limits: Mapping[int, int]) -> Limits | None:
    """The limits that some network breaks, or None where a limit is broken by all."""
    rows, kept = [], []
    least, most = _remaining(trellis, list(limits), 1), _remaining(trellis, list(limits), -1)
    low, high = least[0][trellis.start], most[0][trellis.start]
    for index, (row, limit) in enumerate(limits.items()):
        if limit < low[index]:
            return None
        if limit < high[index]:
            rows.append(row)
            kept.append(index)
    bounds = np.array([limits[row] for row in rows], dtype=np.int64)
    return Limits(
        rows=np.array(rows, dtype=np.int64),
        limit=bounds,
        scale=np.maximum(np.abs(bounds), 1).astype(np.float64),
        least=[{width: value[kept] for width, value in place.items()} for place in least],
        most=[{width: value[kept] for width, value in place.items()} for place in most],
    )


def _remaining(trellis: Trellis, rows: list[int], sign: int) -> list[dict[int, Ints]]:
    """Per place and width, the extreme of what the rest adds to each row: the least for sign 1, the most for -1."""
    extremes = [[(sign * arc.costs[rows]).min(axis=1) for arc in arcs] for arcs in trellis.stages]
    columns = [
        completions(trellis, [[int(extreme[k]) for extreme in arcs] for arcs in extremes]) for k in range(len(rows))
    ]
    return [
        {width: sign * np.array([int(column[place][width]) for column in columns], dtype=np.int64) for width in widths}
        for place, widths in enumerate(completions(trellis, [[0] * len(arcs) for arcs in trellis.stages]))
    ]
