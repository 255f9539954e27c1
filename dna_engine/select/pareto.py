"""Which of many points few others are as good as in every respect. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dna_engine.select.trellis import Bools, Floats, Ints

_CHUNK = 256
_FIRST_BLOCK = 32
_FEW_CHUNKS = 16
_STRONGEST = 1024
"""How many points others are held against beyond their own chunk; more would find little and take long."""


def undominated(ties: Ints, columns: Ints, loss: Floats, merit: Floats, count: int = 1) -> Ints:
    """Indices of points, among them all that fewer than ``count`` others dominate.

    Where only ``ties`` and ``loss`` differ, exactly those; otherwise a few more may be kept, since finding the last of many
    takes longer than carrying them. A point is dominated by another that is at most as large in loss and every column and
    comes before it in ``ties``, a total order; so of equal points the first ones are kept.

    Args:
        ties: shape ``(n,)``, the indices from 0 to n - 1 in the order that breaks ties.
        columns: shape ``(k, n)``.
        loss: shape ``(n,)``.
        merit: shape ``(n,)``, low for points that dominate many; these are tried first.
    """
    ordered = columns[:, ties]
    # A column that only grows along the order says nothing that the order does not.
    telling = (np.diff(ordered, axis=1) < 0).any(axis=1)
    if not telling.any():
        return ties[descents(loss[ties]) if count == 1 else _low(loss[ties], count)]
    rank = np.empty_like(ties)
    rank[ties] = np.arange(len(ties))
    best_first = np.argsort(merit, kind="stable")
    return best_first[_sweep([row[best_first] for row in (loss, rank, *columns[telling])], count)]


def descents(values: Floats) -> Ints:
    """Indices where a value is smaller than all before it."""
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    lowest = np.minimum.accumulate(values)
    return np.flatnonzero(np.concatenate([[True], lowest[1:] < lowest[:-1]]))


def _low(values: Floats, count: int) -> Ints:
    """Indices where fewer than ``count`` values before are at most as large."""
    lowest, kept = np.zeros(0), [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(values), _CHUNK):
        fresh = np.arange(start, min(start + _CHUNK, len(values)))
        below = np.searchsorted(lowest, values[fresh], side="right")
        kept.append(_few([values], fresh, below, count))
        lowest = np.sort(np.concatenate([lowest, values[kept[-1]]]))[:count]
    return np.concatenate(kept)


def _sweep(rows: Sequence[Floats | Ints], count: int) -> Ints:
    """Indices of the points that fewer than ``count`` earlier ones cover, and of some others."""
    points, kept = np.arange(len(rows[0])), np.zeros(0, dtype=np.int64)
    strongest = max(_STRONGEST, 2 * count)
    for start in range(0, len(points), _CHUNK):
        if start == _CHUNK * _FEW_CHUNKS and _in_vain(rows, kept[:strongest], points[start:], count):
            return np.concatenate([kept, points[start:]])
        fresh, covering = _left(rows, kept[:strongest], points[start : start + _CHUNK], count)
        kept = np.concatenate([kept, _few(rows, fresh, covering, count)])
    return kept


def _in_vain(rows: Sequence[Floats | Ints], by: Ints, points: Ints, count: int) -> bool:
    """Whether a sample of the points shows that few are covered so often: to look at all costs more than it spares."""
    sample = points[:: -(-len(points) // _CHUNK)]
    fresh, _ = _left(rows, by, sample, count)
    return 4 * len(fresh) > 3 * len(sample)


def _left(rows: Sequence[Floats | Ints], by: Ints, points: Ints, count: int) -> tuple[Ints, Ints]:
    """The points that fewer than ``count`` of the others cover, and how many do."""
    covering = np.zeros(len(points), dtype=np.int64)
    # The best points, first in line, cover most others: few are left for the long blocks behind them.
    start, size = 0, max(_FIRST_BLOCK, count)
    while start < len(by) and len(points):
        covering += _covered(rows, by[start : start + size], points).sum(axis=0)
        points, covering = points[covering < count], covering[covering < count]
        start, size = start + size, 2 * size
    return points, covering


def _few(rows: Sequence[Floats | Ints], fresh: Ints, covering: Ints, count: int) -> Ints:
    """The fresh points that fewer than ``count`` others cover: ``covering`` earlier ones, and those before them in line."""
    within = np.triu(_covered(rows, fresh, fresh), k=1).sum(axis=0)
    few: Ints = fresh[covering + within < count]
    return few


def _covered(rows: Sequence[Floats | Ints], by: Ints, points: Ints) -> Bools:
    """``[i, j]``: whether point ``by[i]`` is at most as large as ``points[j]`` in every row: it covers it."""
    covered = np.ones((len(by), len(points)), dtype=np.bool_)
    for row in rows:
        covered &= row[by][:, None] <= row[points][None, :]
    return covered
