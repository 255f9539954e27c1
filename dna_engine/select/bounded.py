"""The best network under any number of limits, exactly. Torch-free.

A threshold on the loss starts just above a lower bound and rises until a network is found below it: that one is the best
of all, since whatever was dropped on the way has a bound above the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dna_engine.select.dual import solve_dual
from dna_engine.select.labels import Found, Growth
from dna_engine.select.limits import bind
from dna_engine.select.trellis import Trellis

_FIRST_REACH = 1 / 64
_GROWTH = 4


def solve(trellis: Trellis, limits: Mapping[int, int]) -> Found | None:
    """The network of least loss within the limits, or None where there is none.

    Ties go to the fewest flops, then the fewest params, then the first in lexicographic order of positions.

    Args:
        limits: by row of the arcs' costs, the most that a network may have.
    """
    bound = bind(trellis, limits)
    if bound is None:
        return None
    dual = solve_dual(trellis, bound)
    worst = sum(max(float(arc.loss.max()) for arc in arcs) for arcs in trellis.stages)
    worst = np.nextafter(worst, np.inf) + 1e-9 * abs(worst)
    ceiling = min(dual.incumbent, worst)
    growth = Growth(trellis, bound, dual.multipliers)
    reach = _FIRST_REACH * (ceiling - dual.bound)
    while dual.bound <= worst:
        threshold = min(dual.bound + reach, ceiling)
        found = growth.best(threshold)
        if found is not None and found.loss <= threshold:
            return found
        if threshold >= ceiling:
            break
        ceiling = ceiling if found is None else min(ceiling, found.loss)
        reach *= _GROWTH
    return None
