"""What a search would be and cost, without making it.

How long steps take is said in :mod:`api.jobs.expected`.
"""

from __future__ import annotations

import math
from datetime import timedelta

from sqlalchemy.orm import Session

from api.jobs import cloning
from api.jobs.cloning import Clone
from api.jobs.expected import device_of, expect
from api.jobs.schemas import shown
from api.recipes.schemas import RecipeChoice
from api.searches import service
from api.searches.schemas import Estimate, EstimatedStep
from dna_engine import recipes
from dna_engine.advice import advice
from dna_engine.errors import InfeasibleBudget, TooHard
from dna_engine.plans import Step, plan_of
from dna_engine.space.cost import cost_range
from dna_engine.spec import Budget, ResolvedSpec, SearchSpec
from store import workers
from store.states import JobKind
from store.waiting import most_devices, too_few_devices, unmanned

#: A search of so many seconds on a CPU may not be what was meant, where images have more than so many pixels a side.
LONG_SECONDS, CPU_SIZE = 2 * 3600, 64


def estimate(session: Session, body: SearchSpec | Clone, *, worker_timeout: timedelta) -> Estimate:
    """The search that ``body`` describes; an infeasible budget is part of the answer here.

    Raises:
        EngineError: the spec names something that does not exist or does not fit together.
    """
    spec, _ = cloning.written(session, body, JobKind.SEARCH, SearchSpec)
    resolved, refused = _resolve(session, spec)
    infeasible = refused if isinstance(refused, InfeasibleBudget) else None
    space = resolved.parsed_space
    live = workers.live(session, within=worker_timeout)
    device = device_of(live)
    steps = [_estimated(session, step, resolved, device) for step in plan_of(resolved).all_steps()]
    total = math.fsum(step.device_seconds for step in steps)
    return Estimate(
        candidates=str(space.networks),
        paths=sum(space.paths_per_block),
        feasible_range=cost_range(space, input_size=resolved.input_size, num_classes=resolved.dataset.num_classes),
        feasible=None if isinstance(refused, TooHard) else refused is None,
        reason=refused.message if refused else None,
        binding=infeasible.binding if infeasible else [],
        nearest=infeasible.nearest if infeasible else [],
        warnings=[
            *advice(resolved),
            *_too_long(resolved, device, total),
            *unmanned(live),
            *(too_few_devices(resolved.retrain.devices, most_devices(live)) if live else []),
        ],
        steps=steps,
        device=device,
        device_seconds=total,
        recipe=RecipeChoice(
            name=resolved.retrain.recipe, why=recipes.why(spec.retrain.recipe, resolved.dataset.num_train)
        ),
        spec=shown(resolved),
    )


def _too_long(spec: ResolvedSpec, device: str, seconds: float) -> list[str]:
    """What makes a search shorter that a CPU would work on for hours."""
    if device != "cpu" or seconds < LONG_SECONDS or spec.input_size <= CPU_SIZE:
        return []
    return [
        f"No worker with a GPU is live, and a CPU takes about {seconds / 3600:.0f} hours for this. Images of {CPU_SIZE} pixels and a small "
        f'teacher that is trained on them take minutes: "input_size": {CPU_SIZE}, "teacher": {{"model": "resnet18", "weights": "train"}}.'
    ]


def _resolve(session: Session, spec: SearchSpec) -> tuple[ResolvedSpec, InfeasibleBudget | TooHard | None]:
    """The resolved spec, and why its budget has no network or none is known to have."""
    try:
        resolved = service.resolve_for(session, spec)
        service.check_budget(resolved)
    except (InfeasibleBudget, TooHard) as error:
        unlimited = service.resolve_for(session, spec.model_copy(update={"budget": Budget()}))
        return unlimited.model_copy(update={"budget": spec.budget}), error
    return resolved, None


def _estimated(session: Session, step: Step, spec: ResolvedSpec, device: str) -> EstimatedStep:
    expected = expect(session, step, spec, device)
    return EstimatedStep(
        kind=step.kind,
        cells=step.cells,
        networks=[step.network] if step.network else [],
        device_seconds=expected.seconds,
        basis=expected.basis,
    )
