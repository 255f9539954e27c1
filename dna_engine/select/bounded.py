"""The best network under any number of limits, exactly. Torch-free.

A threshold on the loss starts just above a lower bound and rises until a network is found below it: that one is the best
of all, since whatever was dropped on the way has a bound above the threshold.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from dna_engine.select.allowance import Allowance
from dna_engine.select.dual import solve_dual
from dna_engine.select.growth import Growth
from dna_engine.select.labels import Found
from dna_engine.select.limits import bind
from dna_engine.select.trellis import Trellis

_SAFETY = 1e-9
"""Relative slack where a bound decides alone, a million times the rounding behind it."""

_REACHES = tuple(4.0**power for power in range(-6, 1))
"""Thresholds to try, in parts of the way from the lower bound to what is known to suffice."""

_BEAM = 4000


def solve(trellis: Trellis, limits: Mapping[int, int], allowance: Allowance | None = None) -> Found | None:
    """The network of least loss within the limits, or None where there is none.

    Ties go to the fewest flops, then the fewest params, then the first in lexicographic order of positions.

    Args:
        limits: by row of the arcs' costs, the most that a network may have.
        allowance: what this may take, all that it takes when left out.

    Raises:
        TooHard: it takes more.
    """
    allowance = allowance or Allowance(sys.maxsize)
    allowance.spend(len(limits) * sum(len(arc.loss) for arcs in trellis.stages for arc in arcs))
    bound = bind(trellis, limits)
    if bound is None:
        return None
    dual = solve_dual(trellis, bound)
    worst = sum(max(float(arc.loss.max()) for arc in arcs) for arcs in trellis.stages)
    worst += _SAFETY * (1 + abs(worst))
    if dual.bound > worst + _SAFETY * abs(dual.bound):
        return None
    ceiling = min(dual.incumbent, worst)
    growth = Growth(trellis, bound, dual.multipliers, ceiling, allowance)
    for reach in _REACHES:
        threshold = min(dual.bound + reach * (worst - dual.bound), ceiling)
        found, complete = growth.best(threshold, _BEAM)
        ceiling = ceiling if found is None else min(ceiling, found.loss)
        if ceiling <= threshold:
            if complete:
                return found
            break
    return growth.best(ceiling)[0]
