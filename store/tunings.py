"""Rows of tunings and of their trials, which are steps: making, asking what to try, reading."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Double, Select, Text, and_, case, cast, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dna_engine.errors import InvalidSpec
from dna_engine.plans import Kind
from dna_engine.plans.results import TrialTried
from dna_engine.spec import RecipeSpec, ResolvedTuning, TuningSpec, found_recipe
from dna_engine.spec.parts import OF_TUNING
from dna_engine.spec.tunable import Value
from store import claims, jobs, trainings
from store.actors import own
from store.claims import Claim
from store.columns import new_id
from store.errors import NotFound
from store.filters import JOB_KEYS, Filter
from store.order import At, Key, Order, Page, page
from store.refs import named
from store.session import Sessions, clock, transaction
from store.states import JobKind, StepState
from store.studies import Settled, Studies
from store.tables import Architecture, Job, Metric, Step, Tuning

Recipe = TypeVar("Recipe", bound=RecipeSpec)

#: For so long after a tuning has ended it is looked whether all of it was told.
LATELY = timedelta(days=1)

logger = logging.getLogger("dna.store.tunings")


def create(
    session: Session,
    spec: TuningSpec,
    resolved: ResolvedTuning,
    architecture: Architecture | None,
    *,
    max_attempts: int,
    cloned_from: UUID | None = None,
) -> Tuning:
    """A queued tuning with a step for each trial, their wakes and its first event: all or nothing. As a training, it is given what it
    needs of the search that found its network; what it begins with of another training is still to be, see :func:`store.transfer.share`.

    Raises:
        IllegalTransition: the search that found the network does not have what its trainings need of it.
    """
    written = spec.model_dump(mode="json", exclude_unset=True)
    tuning = Tuning(
        id=new_id(), architecture_id=architecture and architecture.id, spec=written, cloned_from=cloned_from
    )
    first, *_ = jobs.add(session, tuning, resolved, max_attempts=max_attempts)
    trainings.take_files(session, architecture, tuning.id, first.planned.inputs(resolved))
    return tuning


def get(session: Session, tuning_id: UUID) -> Tuning:
    """The tuning of that id.

    Raises:
        NotFound: there is none.
    """
    tuning = session.get(Tuning, tuning_id)
    if tuning is None:
        raise NotFound(JobKind.TUNING, tuning_id)
    return tuning


#: As jobs are ordered, and by what the best trial so far has reached on held-out images.
ORDER = Order(
    Job.id,
    {**JOB_KEYS, "accuracy": Key(cast(Tuning.best["value"].astext, Double), known=False)},
    joined=Tuning.__table__.c.id,
)


def listing(session: Session, where: Filter, at: At) -> Page[Tuning]:
    """A page of tunings."""
    return page(session, where.of(select(Tuning).where(Job.kind == JobKind.TUNING)), ORDER, at)


@dataclass(frozen=True)
class TrialRow:
    """A trial: its step, and the accuracy on the held-out images after each epoch, as ``(epoch, accuracy)``."""

    step: Step
    curve: Sequence[tuple[float, float]]

    @property
    def found(self) -> TrialTried | None:
        """What came of it; None before its end."""
        return _found(self.step)


def trials(session: Session, tuning_id: UUID, *, after: int = 0, limit: int | None = None) -> list[TrialRow]:
    """The trials behind number ``after``, in their order.

    Raises:
        NotFound: there is no such tuning.
    """
    jobs.known(session, JobKind.TUNING, tuning_id)
    number = Step.payload["trial"]["number"].as_integer()
    query = select(Step).where(Step.job_id == tuning_id, number > after).order_by(number).limit(limit)
    found = list(session.scalars(query))
    series = {curve_of(step.key): step.key for step in found}
    points = select(Metric).where(Metric.job_id == tuning_id, Metric.series.in_(series)).order_by(Metric.x)
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in session.scalars(points):
        curves.setdefault(series[point.series], []).append((point.x, point.y))
    return [TrialRow(step, curves.get(step.key, [])) for step in found]


def unfinished(session: Session, tuning_id: UUID, *, limit: int = 50) -> list[Step]:
    """The first steps of trials that are not done: what runs is among them, for it was taken first."""
    query = select(Step).where(Step.job_id == tuning_id, Step.state != StepState.SUCCEEDED)
    return list(session.scalars(query.order_by(Step.id).limit(limit)))


def complete(session: Session, tuning_id: UUID) -> list[tuple[dict[str, Value], TrialTried]]:
    """What the trials that came to their end have tried and found; those that diverged are among them."""
    found = []
    for step in session.scalars(_settled(tuning_id)):
        trial, tried = step.planned.trial, TrialTried.model_validate(step.values)
        if trial and trial.params and tried.state in ("complete", "diverged"):
            found.append((trial.params, tried))
    return found


def counts(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many trials of each tuning are in which state: of their steps until those are done, then what came of them."""
    state = case((Step.state == StepState.SUCCEEDED, Step.values["state"].astext), else_=cast(Step.state, Text))
    query = select(Step.job_id, state, func.count()).where(Step.job_id.in_(ids)).group_by(Step.job_id, state)
    found: dict[UUID, dict[str, int]] = {tuning_id: {} for tuning_id in ids}
    for tuning_id, name, count in session.execute(query):
        found[tuning_id][name] = count
    return found


def curve_of(key: str) -> str:
    """The series of a trial's accuracy on the held-out images."""
    return f"train/{key}/accuracy"


def with_recipe(session: Session, recipe: Recipe, *, at: str = "") -> Recipe:
    """The same, or, where it names a tuning, with what that has found in the fields that it leaves open.

    Args:
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: there is no such tuning, or none of its trials is complete yet.
    """
    if recipe.recipe is None or not recipe.recipe.startswith(OF_TUNING):
        return recipe
    tuning, param = _named(session, recipe.recipe.removeprefix(OF_TUNING), f"{at}recipe"), f"{at}recipe"
    if tuning.best is None:
        raise InvalidSpec(
            f"No trial of the tuning {tuning.id} is complete yet. Name another recipe, or wait.", param=param
        )
    found = found_recipe(ResolvedTuning.model_validate(tuning.resolved), tuning.best["params"])
    written = {name for name in recipe.model_fields_set - {"recipe"} if getattr(recipe, name) is not None}
    return recipe.model_copy(update={name: value for name, value in found.items() if name not in written})


def _named(session: Session, ref: str, param: str) -> Tuning:
    """The tuning of that id, or else the project's own of that name."""
    found = named(session, select(Tuning), ref, Tuning.id, and_(Tuning.name == ref, own(session, Tuning)))
    if len(found) == 1:
        return found[0]
    said = f"Several tunings are called {ref[:50]!r}: name it by its id" if found else f"There is no tuning {ref:.50}"
    raise InvalidSpec(f"{said}; GET /tunings lists them.", param=param)


def ask(session: Session, studies: Studies, claim: Claim) -> Claim:
    """The claim of a trial with what it is to try: asked for at the first attempt, and the same at every later one.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    assert isinstance(claim.spec, ResolvedTuning)
    job, step = claims.held(session, claim)
    planned = step.planned
    assert planned.trial is not None
    if planned.trial.params is None:
        params = studies.ask(job.id, claim.spec, planned, settled(session, job.id))
        trial = planned.trial.model_copy(update={"params": params})
        planned = planned.model_copy(update={"trial": trial})
        step.payload = planned.model_dump(mode="json")
    return replace(claim, step=planned)


def settled(session: Session, tuning_id: UUID) -> list[Settled]:
    """The trials that are done."""
    found = session.scalars(_settled(tuning_id))
    return [Settled(step.key, TrialTried.model_validate(step.values)) for step in found]


def forget(studies: Studies, tuning_id: UUID) -> None:
    """Deletes what Optuna knows of a tuning that was deleted. What cannot be deleted now, the workers find."""
    try:
        studies.delete(tuning_id)
    except SQLAlchemyError as error:
        logger.warning("The study of the tuning %s is deleted later: %s", tuning_id, error)


def tidy(sessions: Sessions, studies: Studies) -> None:
    """Puts right what somebody has died over: studies whose tunings were deleted go, and the last trial of a tuning, after which nothing
    more was asked, is told.
    """
    kept = studies.of()
    with transaction(sessions) as session:
        known = list(session.scalars(select(Tuning).where(Tuning.id.in_(kept))))
        lately = [tuning for tuning in known if tuning.finished_at and tuning.finished_at > clock(session) - LATELY]
        ended = [(tuning.id, ResolvedTuning.model_validate(tuning.resolved)) for tuning in lately]
        told = {tuning_id: settled(session, tuning_id) for tuning_id, _ in ended}
    for tuning_id in set(kept) - {tuning.id for tuning in known}:
        forget(studies, tuning_id)
    for tuning_id, spec in ended:
        studies.tell(tuning_id, spec, told[tuning_id])


def _settled(tuning_id: UUID) -> Select[Step]:
    done = (Step.job_id == tuning_id, Step.kind == Kind.TRIAL, Step.state == StepState.SUCCEEDED)
    return select(Step).where(*done).order_by(Step.id)


def _found(step: Step) -> TrialTried | None:
    return TrialTried.model_validate(step.values) if step.state == StepState.SUCCEEDED else None
