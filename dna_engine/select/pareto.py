"""Which of many points no other is as good as in every respect. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dna_engine.select.trellis import Bools, Floats, Ints

_CHUNK = 256
_FIRST_BLOCK = 32
_STRONGEST = 1024
"""How many points others are held against beyond their own chunk; more would find little and take long."""


def undominated(ties: Ints, columns: Ints, loss: Floats, merit: Floats) -> Ints:
    """Indices of points, among them all that no other dominates.

    Where only ``ties`` and ``loss`` differ, exactly those; otherwise a few dominated points may be kept, since finding the
    last of many takes longer than carrying them. A point is dominated when another is at most as large in loss and every column and comes before it in ``ties``, a
    total order; so of equal points the first is kept.

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
        return ties[descents(loss[ties])]
    rank = np.empty_like(ties)
    rank[ties] = np.arange(len(ties))
    best_first = np.argsort(merit, kind="stable")
    return best_first[_sweep([row[best_first] for row in (loss, rank, *columns[telling])])]


def descents(values: Floats) -> Ints:
    """Indices where a value is smaller than all before it."""
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    lowest = np.minimum.accumulate(values)
    return np.flatnonzero(np.concatenate([[True], lowest[1:] < lowest[:-1]]))


def _sweep(rows: Sequence[Floats | Ints]) -> Ints:
    """Indices of the points that no earlier one is at most as large as in every row, and of some others."""
    kept = np.zeros(0, dtype=np.int64)
    for start in range(0, len(rows[0]), _CHUNK):
        fresh = np.arange(start, min(start + _CHUNK, len(rows[0])))
        # The best points, first in line, cover most others: few are left for the long blocks behind them.
        block_start, size = 0, _FIRST_BLOCK
        while block_start < min(len(kept), _STRONGEST) and len(fresh):
            block = kept[block_start : block_start + size]
            fresh = fresh[~_covered(rows, block, fresh).any(axis=0)]
            block_start, size = block_start + size, 2 * size
        within = np.triu(_covered(rows, fresh, fresh), k=1)
        kept = np.concatenate([kept, fresh[~within.any(axis=0)]])
    return kept


def _covered(rows: Sequence[Floats | Ints], by: Ints, points: Ints) -> Bools:
    """``[i, j]``: whether point ``by[i]`` is at most as large as ``points[j]`` in every row."""
    covered = np.ones((len(by), len(points)), dtype=np.bool_)
    for row in rows:
        covered &= row[by][:, None] <= row[points][None, :]
    return covered
