"""Which of many points no other is as good as in every respect. Torch-free."""

from __future__ import annotations

import numpy as np

from dna_engine.select.trellis import Bools, Floats, Ints

_CHUNK = 256


def undominated(ties: Ints, columns: Ints, loss: Floats) -> Ints:
    """Indices of the points that no other dominates, in the order of ``ties``.

    A point is dominated when another is at most as large in loss and every column and comes before it in ``ties``, a
    total order; so of equal points the first is kept.

    Args:
        ties: shape ``(n,)``, the indices from 0 to n - 1 in the order that breaks ties.
        columns: shape ``(k, n)``.
        loss: shape ``(n,)``.
    """
    sorted_columns = columns[:, ties]
    # A column that only grows along the order says nothing that the order does not.
    open_columns = sorted_columns[(np.diff(sorted_columns, axis=1) < 0).any(axis=1)]
    if len(open_columns) == 0:
        return ties[descents(loss[ties])]
    return ties[_sweep(np.vstack([loss[ties], open_columns.astype(np.float64)]))]


def descents(values: Floats) -> Ints:
    """Indices where a value is smaller than all before it."""
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    lowest = np.minimum.accumulate(values)
    return np.flatnonzero(np.concatenate([[True], lowest[1:] < lowest[:-1]]))


def _sweep(points: Floats) -> Ints:
    """Indices of the columns of ``points`` that no earlier one is at most as large as in every row."""
    kept = np.zeros(0, dtype=np.int64)
    for start in range(0, points.shape[1], _CHUNK):
        fresh = np.arange(start, min(start + _CHUNK, points.shape[1]))
        fresh = fresh[~_covered(points[:, kept], points[:, fresh]).any(axis=0)]
        within = np.triu(_covered(points[:, fresh], points[:, fresh]), k=1)
        kept = np.concatenate([kept, fresh[~within.any(axis=0)]])
    return kept


def _covered(by: Floats, points: Floats) -> Bools:
    """``[i, j]``: whether column i of ``by`` is at most as large as column j of ``points`` in every row."""
    covered = np.ones((by.shape[1], points.shape[1]), dtype=np.bool_)
    for row_by, row in zip(by, points, strict=True):
        covered &= row_by[:, None] <= row[None, :]
    return covered
