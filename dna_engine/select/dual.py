"""A lower bound on the loss under several limits at once, by Lagrangian duality. Torch-free.

For any multipliers ``m >= 0`` no network within the limits has less loss than
``min over all networks of loss + m . (cost - limit)``, and that minimum is cheap: the widths between blocks are few. The
best multipliers come from a linear programme over mixtures of networks, solved by column generation (Dantzig and Wolfe
1960) with a simplex basis of one row per limit and one for the mixture. A poor basis costs speed, never exactness:
whatever the multipliers, the bound holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dna_engine.select.limits import Limits
from dna_engine.select.trellis import Floats, Ints, Trellis

_ROUNDS = 200
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Dual:
    """The best bound found.

    Attributes:
        multipliers: shape ``(limits,)``, at least 0, in loss per scale of each limit.
        bound: no network within the limits has a smaller loss, up to rounding.
        incumbent: least loss of the networks within the limits that came up on the way, or infinity.
    """

    multipliers: Floats
    bound: float
    incumbent: float


@dataclass(frozen=True, eq=False)
class _Walk:
    value: float
    loss: float
    costs: Ints


def solve_dual(trellis: Trellis, limits: Limits) -> Dual:
    """The bound, and multipliers that give it."""
    count = len(limits.rows)
    relative = [[arc.costs[limits.rows] / limits.scale[:, None] for arc in arcs] for arcs in trellis.stages]
    basis, prices, amounts = _start(trellis, count)
    best = Dual(np.zeros(count), -np.inf, np.inf)
    for _ in range(_ROUNDS):
        solution = np.linalg.solve(basis.T, prices)
        multipliers = np.maximum(-solution[:count], 0.0)
        walk = _cheapest(trellis, limits, relative, multipliers)
        bound, excess = walk.value - float(multipliers @ (limits.limit / limits.scale)), walk.costs - limits.limit
        incumbent = min(best.incumbent, walk.loss) if (excess <= 0).all() else best.incumbent
        best = (
            Dual(multipliers, bound, incumbent) if bound > best.bound else Dual(best.multipliers, best.bound, incumbent)
        )
        slack = int(np.argmax(solution[:count])) if count else 0
        if count and solution[slack] > _TOLERANCE:
            column, price = np.eye(count + 1)[slack], 0.0
        elif bound < solution[count] - _TOLERANCE * (1 + abs(bound)):
            column, price = np.append(excess / limits.scale, 1.0), walk.loss
        else:
            break
        if not _enter(basis, prices, amounts, column, price):
            break
    return best


def _start(trellis: Trellis, count: int) -> tuple[Floats, Floats, Floats]:
    """A basis of slacks and one artificial network, dearer than any real one, that meets every limit exactly."""
    spread = sum(max(float(np.abs(arc.loss).max()) for arc in arcs) for arcs in trellis.stages)
    prices = np.append(np.zeros(count), 1e3 * spread + 1.0)
    return np.eye(count + 1), prices, np.append(np.zeros(count), 1.0)


def _enter(basis: Floats, prices: Floats, amounts: Floats, column: Floats, price: float) -> bool:
    """One simplex step, in place; False where rounding leaves nothing to leave the basis."""
    direction = np.linalg.solve(basis, column)
    able = direction > _TOLERANCE
    if not able.any():
        return False
    ratios = np.full(len(amounts), np.inf)
    ratios[able] = amounts[able] / direction[able]
    leaving = int(np.argmin(ratios))
    step = ratios[leaving]
    amounts -= step * direction
    amounts[leaving] = step
    np.maximum(amounts, 0.0, out=amounts)
    basis[:, leaving], prices[leaving] = column, price
    return True


def _cheapest(trellis: Trellis, limits: Limits, relative: Sequence[Sequence[Floats]], multipliers: Floats) -> _Walk:
    """The network of least loss plus priced costs; ``relative`` are the limited costs in parts of their scale."""
    at = {trellis.start: _Walk(0.0, 0.0, np.zeros(len(multipliers), dtype=np.int64))}
    for arcs, shares in zip(trellis.stages, relative, strict=True):
        after: dict[int, _Walk] = {}
        for arc, share in zip(arcs, shares, strict=True):
            priced = arc.loss + multipliers @ share
            item, before = int(priced.argmin()), at[arc.source]
            value = before.value + float(priced[item])
            if arc.target not in after or value < after[arc.target].value:
                costs = before.costs + arc.costs[limits.rows, item]
                after[arc.target] = _Walk(value, before.loss + float(arc.loss[item]), costs)
        at = after
    return min(at.values(), key=lambda walk: walk.value)
