"""What a training would be and cost, without making it. How long steps take is said in :mod:`api.jobs.expected`."""

from __future__ import annotations

import math
from datetime import timedelta

from sqlalchemy.orm import Session

from api.jobs import cloning
from api.jobs.cloning import Clone
from api.jobs.expected import device_of, expect
from api.jobs.schemas import shown
from api.recipes.schemas import RecipeChoice
from api.trainings import service
from api.trainings.schemas import PlannedStep, TrainingEstimate
from dna_engine import recipes
from dna_engine.advice import advice_on_training
from dna_engine.plans import plan_of
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import TrainingSpec
from store import workers
from store.states import JobKind
from store.waiting import most_devices, too_few_devices, unmanned


def estimate(session: Session, body: TrainingSpec | Clone, *, live_within: timedelta) -> TrainingEstimate:
    """The training that ``body`` describes; raises as :func:`api.trainings.service.create`."""
    spec, _ = cloning.written(session, body, JobKind.TRAINING, TrainingSpec)
    with session.begin_nested() as kept:
        _, resolved = service.resolve_for(session, spec)
        kept.rollback()  # A network that is described would be one of those there are.
    live = workers.live(session, within=live_within)
    device = device_of(live)
    steps = [
        PlannedStep(kind=step.kind, device_seconds=expected.seconds, basis=expected.basis)
        for step in plan_of(resolved).all_steps()
        for expected in [expect(session, step, resolved, device)]
    ]
    costs = architecture_cost(Architecture.from_json(resolved.architecture))
    return TrainingEstimate(
        flops=costs.flops,
        params=costs.params,
        steps=steps,
        device=device,
        device_seconds=math.fsum(step.device_seconds for step in steps),
        warnings=[
            *advice_on_training(resolved),
            *unmanned(live),
            *(too_few_devices(resolved.devices, most_devices(live)) if live else []),
        ],
        recipe=RecipeChoice(name=resolved.recipe, why=recipes.why(spec.recipe, resolved.dataset.num_train)),
        spec=shown(resolved),
    )
