"""Networks for a new budget, and the whole frontier: exact, from finished ratings."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from api.errors import Invalid
from api.searches.schemas import (
    ChosenBlock,
    Cost,
    FrontierOut,
    FrontierPoint,
    LookedAt,
    Selected,
    SelectIn,
    Selection,
)
from api.searches.service import SELECTION_STEPS
from dna_engine.plans import results
from dna_engine.plans.results import Finalist
from dna_engine.select import Allowance, Frontier, Network, Problem, best, frontier
from dna_engine.select.trellis import Ints
from store import architectures, searches
from store.columns import Json

_NO_LATENCY = "No latency was measured for this search: its budget had no latency_ms"


def whole_frontier(
    session: Session, search_id: UUID, problem: Problem, cost: Cost, *, networks: bool, most: int | None
) -> FrontierOut:
    """The points, at most so many, with their networks or with what these chose in each block alone.

    Raises:
        Invalid: latency, where none was measured.
    """
    if cost not in problem.cost_names:
        raise Invalid(f"{_NO_LATENCY}.", errors=[{"parameter": "cost", "detail": _NO_LATENCY}])
    front = frontier(problem, cost)
    shown = thinned(front.costs, most)
    alike = _alike(session, search_id) if networks else {}
    points = []
    for point, shape in zip(shown.tolist(), _shapes(problem, front, shown), strict=True):
        architecture = front.network(point).architecture.to_json() | alike if networks else None
        points.append(shape.model_copy(update={"architecture": architecture}))
    return FrontierOut.model_construct(cost=cost, total=len(front), points=points)


def thinned(costs: Ints, most: int | None) -> Ints:
    """Which of the points, whose costs ascend, are shown: the ends, and between them those next to costs that lie evenly."""
    last = len(costs) - 1
    if most is None or last < most:
        return np.arange(last + 1)
    wanted = np.linspace(costs[0], costs[last], most)
    after = np.searchsorted(costs, wanted).clip(1, last)
    nearer = wanted - costs[after - 1] < costs[after] - wanted
    return np.unique(np.where(nearer, after - 1, after))


def _shapes(problem: Problem, front: Frontier, points: Ints) -> Iterator[FrontierPoint]:
    """The points without their networks: most share their blocks with others."""
    positions = front.positions(points)
    costs = problem.trellis.costs(positions)

    @functools.cache
    def chosen(block: int, position: int) -> ChosenBlock:
        cell, ops = problem.choice(block, position)
        return ChosenBlock(cell=cell, ops=[op.name for op in ops])

    for row, loss, each in zip(costs.tolist(), front.losses[points].tolist(), positions.tolist(), strict=True):
        named = dict(zip(problem.cost_names, row, strict=True))
        yield FrontierPoint.model_construct(
            cost=named[front.cost],
            loss=loss,
            flops=named["flops"],
            params=named["params"],
            latency_ns=named.get("latency_ns"),
            blocks=[chosen(block, position) for block, position in enumerate(each, start=1)],
            architecture=None,
        )


def _alike(session: Session, search_id: UUID) -> Json:
    """What the descriptions of all networks of a search share: how a picture becomes an input. The winner's has it."""
    return {"preprocessing": architectures.preprocessing(session, search_id)}


def select(session: Session, search_id: UUID, problem: Problem, asked: SelectIn) -> Selection:
    """The best networks within a budget, each kept as an architecture of the search where that is asked for.

    Raises:
        InfeasibleBudget: no network fits.
        TooHard: the selection takes longer than a request may.
        Invalid: a limit on latency where none was measured.
    """
    limits = asked.budget.limits
    if "latency_ns" in limits and "latency_ns" not in problem.cost_names:
        raise Invalid(f"{_NO_LATENCY}.", errors=[{"pointer": "#/budget/latency_ms", "detail": _NO_LATENCY}])
    session.rollback()  # What was read is done with: no transaction waits while this computes.
    found = best(problem, limits, asked.top_k, asked.min_distance, Allowance(SELECTION_STEPS))
    alike = _alike(session, search_id)
    finalists = _finalists(session, search_id)
    selected = [_selected(network, alike, finalists) for network in found.networks]
    if asked.keep:
        selected = [_kept(session, search_id, network, asked.name) for network in selected]
    return Selection(architectures=selected)


def _finalists(session: Session, search_id: UUID) -> list[Finalist]:
    """Those that the search has looked at whole."""
    values = searches.selected(session, search_id)
    return results.Selected.model_validate(values).finalists if values else []


def _selected(network: Network, alike: Json, finalists: Sequence[Finalist]) -> Selected:
    blocks = network.to_json()["blocks"]
    tried = next((finalist for finalist in finalists if finalist.blocks == blocks), None)
    return Selected(
        id=None,
        role=None,
        loss=network.loss,
        flops=network.costs["flops"],
        params=network.costs["params"],
        latency_ns=network.costs.get("latency_ns"),
        looked_at=tried and LookedAt(log_loss=tried.log_loss, accuracy=tried.accuracy),
        architecture=network.architecture.to_json() | alike,
    )


def _kept(session: Session, search_id: UUID, network: Selected, name: str | None) -> Selected:
    row = architectures.select_network(
        session,
        search_id,
        network.architecture,
        loss=network.loss,
        flops=network.flops,
        params=network.params,
        latency_ns=network.latency_ns,
        name=name,
    )
    return network.model_copy(update={"id": row.id, "role": row.role})
