"""Rows of jobs of any kind: making, reading, listing, deleting. How one moves along its plan is in ``store.flow``."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from dna_engine.plans import plan_of
from dna_engine.spec import Priority, ResolvedJob
from store import accuracies, changes, deliveries, events, quotas, steps, tracing
from store.actors import own, signature
from store.columns import Json
from store.errors import IllegalTransition, NotFound
from store.events import NewEvent
from store.files import release
from store.filters import Filter
from store.logs import bound
from store.progress import planned
from store.states import FINISHED, EventType, JobKind, JobState
from store.tables import Artifact, Job, Step

logger = logging.getLogger("dna.store.jobs")


def add(session: Session, job: Job, spec: ResolvedJob, *, max_attempts: int) -> list[Step]:
    """Queues a new job: its row filled in from the resolved spec, the steps of its first phase, their wakes and its first event.

    Returns the steps.

    Raises:
        QueueFull, QuotaSpent: the key may have no more.
        PriorityTooHigh: nor one of its priority.
    """
    quotas.admit(session)
    plan = plan_of(spec)
    job.name, job.labels, job.dataset, job.seed = spec.name, spec.labels, spec.dataset_name, spec.seed
    asked = job.spec.get("priority")
    job.priority = quotas.allowed(session, None if asked is None else Priority(asked))
    job.resolved, job.phase = spec.model_dump(mode="json"), plan.phases[0]
    job.expected_seconds = sum(seconds for work in planned(spec).values() for _, seconds in work)
    job.request_id, job.traceparent = bound("request_id"), tracing.current()
    for name, value in signature(session).items():
        setattr(job, name, value)
    session.add(job)
    session.flush()
    first = steps.add(session, job, job.phase, plan.steps(job.phase), max_attempts=max_attempts)
    announce(session, job)
    logger.info("job queued", extra={"job_id": str(job.id), "kind": job.kind.value})
    return first


def announce(session: Session, job: Job) -> None:
    """An event with what people watch of the job, a line for who follows all jobs, and a message to whoever wants to be told."""
    deliveries.tell(session, job)
    events.append(session, job, [news(job, job.state)])
    changes.note(session, job.id, job.kind, job.project_id)


def news(job: Job | Row[Any], state: JobState) -> NewEvent:
    """What people watch of the job, in that state."""
    told = ("phase", "cancel_requested", "error")
    return NewEvent(EventType.STATE, {"state": state, **{name: getattr(job, name) for name in told}})


def rename(session: Session, job: Job, *, name: str, labels: Mapping[str, str]) -> None:
    """Calls a locked job so, and gives it these labels for those it has. A line of its log tells what has changed."""
    said = [f"It is called {name!r} now, not {job.name!r}."] if name != job.name else []
    if labels != job.labels:
        said.append(f"Its labels are {', '.join(f'{key}={value}' for key, value in labels.items()) or 'gone'} now.")
    job.name, job.labels = name, dict(labels)
    session.flush()
    if said:
        changes.note(session, job.id, job.kind, job.project_id)
        events.append(session, job, [NewEvent(EventType.LOG, {"level": "info", "message": " ".join(said)})])


def prioritise(session: Session, job: Job, priority: Priority) -> None:
    """A locked job that is not finished goes by that priority from now on, also with the steps that wait. A line of its log tells of it.

    Raises:
        PriorityTooHigh: whoever asks may not give it.
        IllegalTransition: nothing of the job waits or will.
    """
    if priority == job.priority:
        return
    if job.state in FINISHED:
        then = "" if job.state == JobState.SUCCEEDED else " Resume it first."
        raise IllegalTransition(
            f"The {job.kind} {job.state.said}: nothing of it waits that could go before others.{then}"
        )
    said = f"Its priority is {quotas.allowed(session, priority)} now, not {job.priority}."
    job.priority = priority
    line_up(session, job)
    changes.note(session, job.id, job.kind, job.project_id)
    events.append(session, job, [NewEvent(EventType.LOG, {"level": "info", "message": said})])


def line_up(session: Session, job: Job) -> None:
    """Its steps stand in the line where the job does now."""
    session.flush()
    session.execute(update(Step).where(Step.job_id == job.id).values(rank=job.rank))


def written(session: Session, kind: JobKind, job_id: UUID) -> Json | None:
    """:func:`written_now` of a job of the kind; None where there is no such job. Nobody deletes the job until the transaction ends."""
    job = session.scalar(
        select(Job).where(Job.id == job_id, Job.kind == kind).with_for_update(read=True, key_share=True)
    )
    return None if job is None else written_now(job)


def written_now(job: Job) -> Json:
    """The spec of a job as its user wrote it, called and labelled as the job is now, and of its priority."""
    made = {**job.resolved, "priority": job.spec.get("priority", Priority.NORMAL)}
    now = {"name": job.name, "labels": job.labels, "priority": job.priority}
    return {**job.spec, **{field: value for field, value in now.items() if value != made.get(field)}}


def counts(session: Session, kind: JobKind, where: Filter) -> dict[JobState, int]:
    """How many jobs of the kind are in each state, of those that the filter lets through."""
    asked: Any = select(Job.state, func.count()).where(Job.kind == kind)
    return by_state(session, where.of(asked).group_by(Job.state))


def by_state(session: Session, query: Select[Any]) -> dict[JobState, int]:
    """Counts by state, with zero for those that nothing is in."""
    return dict.fromkeys(JobState, 0) | {JobState(state): count for state, count in session.execute(query)}


def known(session: Session, kind: JobKind, job_id: UUID) -> UUID:
    """The id itself, where it is that of a job of the kind.

    Raises:
        NotFound: there is no such job.
    """
    if session.scalar(select(Job.id).where(Job.id == job_id, Job.kind == kind)) is None:
        raise NotFound(kind, job_id)
    return job_id


def called(session: Session, kind: JobKind, names: Collection[str]) -> set[str]:
    """Those of the names that jobs of the kind have in the project."""
    return set(session.scalars(select(Job.name).where(Job.kind == kind, Job.name.in_(names), own(session, Job))))


@dataclass(frozen=True)
class End:
    """How far a job has come: the number of its last event, and whether none is to follow."""

    seq: int
    finished: bool


def ends(session: Session, ids: Sequence[UUID]) -> dict[UUID, End]:
    """The ends of those of the jobs that exist."""
    rows = session.execute(select(Job.id, Job.event_seq, Job.state).where(Job.id.in_(ids)))
    return {job_id: End(seq, state in FINISHED) for job_id, seq, state in rows}


def lock(session: Session, job_id: UUID) -> Job:
    """The job as it is now, locked until the transaction ends. Take it before any lock on its steps.

    The lock lets others refer to the row meanwhile (a worker's beat names its step), but not change it.

    Raises:
        NotFound: there is none of that id.
    """
    job = session.scalar(_LOCK, {"job_id": job_id})
    if job is None:
        raise NotFound("job", job_id)
    return job


#: Made once: whatever moves a job begins so, and making a statement takes as long as running it.
_LOCK = (
    select(Job)
    .where(Job.id == bindparam("job_id"))
    .with_for_update(key_share=True, of=Job)
    .execution_options(populate_existing=True)
)


def delete(session: Session, job_id: UUID) -> list[str]:
    """Deletes a finished job and all that belongs to it, the accuracy that its training has given to a network included; returns the
    locations of its files.

    The caller discards those after the commit: a file without a row is waste, a row without a file is a lie.

    Raises:
        NotFound: there is none of that id.
        IllegalTransition: it is not finished.
    """
    job = lock(session, job_id)
    if job.state not in FINISHED:
        raise IllegalTransition(f"The {job.kind} is {job.state}. Cancel it, then delete it.")
    locations = list(session.scalars(select(Artifact.location).where(Artifact.job_id == job_id)))
    changes.note(session, job.id, job.kind, job.project_id)
    judged = accuracies.judged_by(session, job_id)
    session.delete(job)
    session.flush()
    accuracies.settle(session, judged)
    release(session, locations)
    return locations
