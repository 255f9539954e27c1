"""Whether a network fits a budget, why none does, and which budgets nearby have one. Torch-free.

None of this asks for losses: one cost takes their place and is made as small as the other limits allow. With all losses
alike a search for the least would have no bound to drop anything by.
"""

from __future__ import annotations

from collections.abc import Mapping

from dna_engine.errors import InfeasibleBudget, as_written
from dna_engine.select.allowance import Allowance
from dna_engine.select.bounded import solve
from dna_engine.select.problem import Problem


def check(problem: Problem, limits: Mapping[str, int], allowance: Allowance | None = None) -> None:
    """Looks whether a network meets all limits at once, whatever its loss.

    Raises:
        InfeasibleBudget: none does; says which limits bind and what would fit.
        TooHard: to know that takes more than is allowed.
    """
    if not _feasible(problem, limits, allowance):
        raise explain(problem, limits, allowance)


def explain(problem: Problem, limits: Mapping[str, int], allowance: Allowance | None = None) -> InfeasibleBudget:
    """The error for limits that no network meets.

    Its ``nearest`` are whole budgets that do have a network, one per limit where they differ: the other limits are held
    (raised only as far as they must be, where they fail among themselves), and this one is as small as it can be then.
    """
    nearest: list[dict[str, int]] = []
    for name in limits:
        budget = nearest_budget(problem, limits, name, allowance)
        if budget not in nearest:
            nearest.append(budget)
    alone = [name for name in limits if limits[name] < problem.cost_range[name][0]]
    binding = alone or [name for name in limits if _feasible_without(problem, limits, name, allowance)] or list(limits)
    reason = _alone(problem, limits, alone) if alone else _together(limits)
    offers = " or ".join(", ".join(_limit(*limit) for limit in budget.items()) for budget in nearest)
    return InfeasibleBudget(
        f"No network of the space fits the budget: {reason}. Budgets nearby that have one: {offers}.",
        binding=binding,
        feasible=problem.cost_range,
        nearest=nearest,
    )


def nearest_budget(
    problem: Problem, limits: Mapping[str, int], raised: str, allowance: Allowance | None = None
) -> dict[str, int]:
    """The limits with one of them raised as little as possible, the others only where they fail without it too."""
    budget: dict[str, int] = {}
    for name in [*(name for name in limits if name != raised), raised]:
        row = problem.row(name)
        held = {problem.row(other): value for other, value in budget.items()}
        found = solve(problem.trellis.minimizing(row), held, allowance)
        assert found is not None, "the limits held so far were raised until a network met them"
        budget[name] = max(limits[name], found.costs[row])
    return {name: budget[name] for name in limits}


def _feasible(problem: Problem, limits: Mapping[str, int], allowance: Allowance | None) -> bool:
    """Whether the least of the first cost under the other limits is within its own."""
    if not limits:
        return True
    first, *others = limits
    row = problem.row(first)
    held = {problem.row(name): limits[name] for name in others}
    found = solve(problem.trellis.minimizing(row), held, allowance)
    return found is not None and found.costs[row] <= limits[first]


def _feasible_without(problem: Problem, limits: Mapping[str, int], dropped: str, allowance: Allowance | None) -> bool:
    return _feasible(problem, {name: limit for name, limit in limits.items() if name != dropped}, allowance)


def _alone(problem: Problem, limits: Mapping[str, int], names: list[str]) -> str:
    return "; ".join(
        f"{_limit(name, limits[name], ' is at most ')}, the smallest network has {_told(name, problem.cost_range[name][0])}"
        for name in names
    )


def _together(limits: Mapping[str, int]) -> str:
    listed = " and ".join(_limit(name, limit, " at most ") for name, limit in limits.items())
    return f"{listed} can each be met, but not together"


def _limit(cost: str, value: int, between: str = " ") -> str:
    return f"{as_written(cost, value)[0]}{between}{_told(cost, value)}"


def _told(cost: str, value: int) -> str:
    """As a budget has it. Latency in four digits, not below what it is: what is rounded down would have no network."""
    if cost == "latency_ns":
        step = 10 ** max(len(str(value)) - 4, 0)
        value = -(-value // step) * step
    return f"{as_written(cost, value)[1]:,}{' ms' if cost == 'latency_ns' else ''}"
