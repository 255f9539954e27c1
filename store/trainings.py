"""Rows of trainings: those made alone, which are jobs, and those of searches, which are steps of them. One list, one way to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Select, Text, case, cast, func, select, union_all
from sqlalchemy.orm import Session, contains_eager, joinedload

from dna_engine.plans import files
from dna_engine.spec import NETWORK, ResolvedTraining, TrainingSpec
from store import artifacts, jobs
from store.columns import new_id
from store.errors import IllegalTransition, NotFound
from store.filters import Filter, Stands
from store.order import At, Key, Order, Page, page
from store.states import JobKind, JobState, StepState
from store.tables import Architecture, Job, Step, Training, TrainingJob

Row = TypeVar("Row")


@dataclass(frozen=True)
class Which:
    """Which trainings a list shows: of jobs like those, of a network, of the networks of a search."""

    jobs: Filter = field(default_factory=Filter)
    architecture_id: UUID | None = None
    search_id: UUID | None = None

    def of(self, query: Select[Row]) -> Select[Row]:
        """The rows of ``query``, which has trainings with their jobs and steps, that it lets through."""
        query = self.jobs.of(query, _STANDS)
        if self.architecture_id is not None:
            query = query.where(Training.architecture_id == self.architecture_id)
        if self.search_id is not None:
            networks = select(Architecture.id).where(Architecture.search_id == self.search_id)
            query = query.where(Training.architecture_id.in_(networks))
        return query


def create(
    session: Session,
    spec: TrainingSpec,
    resolved: ResolvedTraining,
    architecture: Architecture | None,
    *,
    max_attempts: int,
    cloned_from: UUID | None = None,
) -> Training:
    """A queued training with its steps, their wakes and its first event: all or nothing.

    What it needs of the search that found its network is its own from now on: the search may be deleted. What it begins with of another
    training is still to be given to it, see :func:`store.transfer.share`.

    Args:
        architecture: None where the spec describes the network and nothing else does.

    Raises:
        IllegalTransition: the search does not have that any more, or not yet.
    """
    job = TrainingJob(id=new_id(), spec=spec.model_dump(mode="json", exclude_unset=True), cloned_from=cloned_from)
    [step] = jobs.add(session, job, resolved, max_attempts=max_attempts)
    training = Training(id=job.id, project_id=job.project_id, job_id=job.id, network=NETWORK)
    training.architecture_id = None if architecture is None else architecture.id
    session.add(training)
    session.flush()
    step.training_id = training.id
    take_files(session, architecture, job.id, step.planned.inputs(resolved))
    return training


def take_files(session: Session, architecture: Architecture | None, job_id: UUID, inputs: Sequence[str]) -> None:
    """Gives a job what the training of a network needs of the search that found it.

    Args:
        inputs: of a step that trains it.

    Raises:
        IllegalTransition: the search does not have that any more, or not yet.
    """
    names = [name for name in inputs if name != files.START]
    search_id = None if architecture is None else architecture.search_id
    if search_id is None:
        assert not names, "no search has what it asks for"
        return
    if missing := artifacts.share(session, search_id, job_id, names):
        raise IllegalTransition(
            f"The search {search_id} has no file {missing[0]}, which this training needs of it. Ask for start scratch, without distill, "
            "or search again."
        )


def get(session: Session, training_id: UUID) -> Training:
    """The training of that id.

    Raises:
        NotFound: there is none.
    """
    training = session.scalar(_all().where(Training.id == training_id))
    if training is None:
        raise NotFound("training", training_id)
    return training


def own_job(session: Session, training_id: UUID) -> UUID:
    """The job of a training that was made alone: what can be cancelled, resumed and deleted.

    Raises:
        NotFound: there is no such training.
        IllegalTransition: it is part of a search.
    """
    training = get(session, training_id)
    if not training.alone:
        raise IllegalTransition(
            f"This training is part of the search {training.job_id}: cancel, resume, rename or delete that (dna search cancel {training.job_id})."
        )
    return training.job_id


def listing(session: Session, which: Which, at: At) -> Page[Training]:
    """A page of trainings: first which they are, since to put whole rows in order takes thrice as long."""
    found = page(session, which.of(_standing(select(Training.id))), ORDER, at)
    rows = {training.id: training for training in session.scalars(_all().where(Training.id.in_(found.items)))}
    return Page([rows[training_id] for training_id in found.items if training_id in rows], found.next)


def counts(session: Session, which: Which) -> dict[JobState, int]:
    """How many of the trainings are in each state."""
    asked: Select[Any] = _standing(select(_STATE, func.count()).select_from(Training))
    return jobs.by_state(session, which.of(asked).group_by(_STATE))


def of_architecture(session: Session, architecture_id: UUID, *, limit: int | None = None) -> list[Training]:
    """The trainings of a network, oldest first."""
    query = _all().where(Training.architecture_id == architecture_id).order_by(Training.id)
    return list(session.scalars(query.limit(limit)))


def of_search(session: Session, search_id: UUID) -> list[Training]:
    """Those that are steps of a search, oldest first."""
    return list(session.scalars(_all().where(Training.job_id == search_id).order_by(Training.id)))


def _in_states(states: Sequence[JobState]) -> ColumnElement[bool]:
    """The condition that :attr:`Training.state` is one of them, each half by an index."""
    alone = select(Job.id).where(Job.kind == JobKind.TRAINING, Job.state.in_(states))
    of_searches = select(Step.training_id).where(
        Step.training_id.is_not(None), Step.training_id != Step.job_id, Step.state.in_(map(StepState, states))
    )
    return Training.id.in_(union_all(alone, of_searches))


_ALONE = Training.id == Training.job_id
_STATE = case((_ALONE, cast(Job.state, Text)), else_=cast(Step.state, Text))
#: As :attr:`Training.stands` has it.
_FINISHED = case((_ALONE, Job.finished_at), else_=Step.finished_at)
_PROGRESS = case((_ALONE, Job.progress), else_=func.coalesce(cast(Step.done, Double) / func.nullif(Step.total, 0), 0.0))
_STANDS = Stands(Training.id, _in_states, Training.created_at, _FINISHED)

#: Those of searches have the name of their search.
ORDER = Order(
    Training.id,
    {
        "name": Key(Job.name),
        "state": Key(_STATE),
        "progress": Key(_PROGRESS),
        "finished_at": Key(_FINISHED, known=False),
        "accuracy": Key(Training.test_accuracy, known=False),
    },
)


def _standing(query: Select[Row]) -> Select[Row]:
    """Trainings with what says how far they are."""
    return query.join(Training.job).join(Training.step)


def _all() -> Select[Training]:
    """All trainings, each with its job, the step that trains its network, and what that network is called."""
    query = _standing(select(Training))
    said = contains_eager(Training.step).defer(Step.payload).defer(Step.values)
    called = joinedload(Training.architecture).load_only(
        Architecture.role, Architecture.name, Architecture.search, Architecture.flops
    )
    return query.options(contains_eager(Training.job).defer(Job.spec), said, called)
