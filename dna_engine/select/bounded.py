"""The best networks under any number of limits, exactly. Torch-free.

A threshold on the loss starts just above a lower bound and rises until as many networks as were asked for are found below
it: those are the best of all, since whatever was dropped on the way has a bound above the threshold, or as many networks
before it.
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

_FIRST_REACH = 4.0**-6
"""The first threshold to try, in parts of the way from the lower bound to what no network exceeds."""

_WIDER = 2.0
"""How much further the next one reaches, at most."""

_BEAM = 4000


def solve(trellis: Trellis, limits: Mapping[int, int], allowance: Allowance | None = None) -> Found | None:
    """The first of the leading networks, or None where there is none."""
    return next(iter(leading(trellis, limits, 1, allowance)), None)


def leading(trellis: Trellis, limits: Mapping[int, int], count: int, allowance: Allowance | None = None) -> list[Found]:
    """The networks of least loss within the limits, best first; fewer than ``count`` where no more are within them.

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
        return []
    dual = solve_dual(trellis, bound)
    worst = sum(max(float(arc.loss.max()) for arc in arcs) for arcs in trellis.stages)
    worst += _SAFETY * (1 + abs(worst))
    if dual.bound > worst + _SAFETY * abs(dual.bound):
        return []
    ceiling = min(dual.incumbent, worst) if count == 1 else worst
    growth = Growth(trellis, bound, dual.multipliers, ceiling, count, allowance)
    reach, known = _FIRST_REACH, 0
    while reach < 1:
        threshold = min(dual.bound + reach * (worst - dual.bound), ceiling)
        found, complete = growth.leading(threshold, _BEAM)
        ceiling = ceiling if len(found) < count else min(ceiling, found[-1].loss)
        if ceiling <= threshold:
            if complete:
                return found
            break
        # The networks within reach grow with a high power of it, and so does the work: no further than it takes.
        reach *= min(_WIDER, (2 * count / len(found)) ** (1 / 6)) if len(found) > known else _WIDER
        known = len(found)
    return growth.leading(ceiling)[0]
