"""Moves of a job and of its steps, each with the event that tells of it: rows, events and wakes agree. The job is locked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from store import events, jobs, outbox, quotas, tallies
from store.events import NewEvent
from store.session import clock
from store.states import FINISHED, EventType, JobState, StepState, move_job, move_step
from store.tables import Job, Step


def stopping(job: Job) -> bool:
    """Whether no step of it is to begin."""
    return job.cancel_requested or job.state in FINISHED


def settle(session: Session, job: Job) -> None:
    """A job that was asked to stop is cancelled when nothing of it runs any more."""
    if job.cancel_requested and job.state not in FINISHED and not steps_in(session, job, StepState.RUNNING):
        finish(session, job, JobState.CANCELLED)


def finish(session: Session, job: Job, state: JobState) -> None:
    """Nothing more is done for it, unless it is resumed. Jobs that waited for its place among those of its key are announced."""
    job.finished_at = clock(session)
    job.eta_seconds = None
    move(session, job, state)
    seconds = (job.finished_at - job.created_at).total_seconds()
    tallies.observe(session, tallies.JOB_SECONDS, job.kind, state, seconds=seconds)
    quotas.leave_place(session, job)


def move(session: Session, job: Job, state: JobState) -> None:
    """The job is in that state from now on."""
    job.state = move_job(job.state, state)
    jobs.announce(session, job)


def cancel_queued(session: Session, job: Job) -> None:
    """What waits is not begun."""
    _leave_all(session, job, steps_in(session, job, StepState.QUEUED), StepState.CANCELLED)


def leave(session: Session, job: Job, step: Step, state: StepState) -> None:
    """The step ends so; nobody holds it any more."""
    _leave_all(session, job, [step], state)


def _leave_all(session: Session, job: Job, steps: Sequence[Step], state: StepState) -> None:
    """The steps of a job end so. A tuning may have a thousand: what is asked and told of all is asked and told once."""
    now = clock(session)
    for step in steps:
        step.state = move_step(step.state, state)
        step.finished_at = now
        step.lease_owner = step.lease_expires_at = step.eta_seconds = None
    announce_steps(session, job, steps)


def requeue(session: Session, job: Job, step: Step, *, wait: timedelta = timedelta(0)) -> None:
    """The step can be claimed again, after that time."""
    requeue_all(session, job, [step], wait=wait)


def requeue_all(session: Session, job: Job, steps: Sequence[Step], *, wait: timedelta = timedelta(0)) -> None:
    """The same of steps of a job."""
    now = clock(session)
    for step in steps:
        step.state = move_step(step.state, StepState.QUEUED)
        step.queued_at = now
        step.available_at = step.woken_at = now + wait
        step.finished_at = step.lease_owner = step.lease_expires_at = step.eta_seconds = None
        outbox.wake(session, step)
    announce_steps(session, job, steps)


def announce_steps(session: Session, job: Job, steps: Sequence[Step]) -> None:
    """An event for each of the steps, with its state."""
    if steps:
        events.append(session, job, [news(step) for step in steps])


def news(step: Step | Row[Any]) -> NewEvent:
    """The step as it is now."""
    told = ("kind", "phase", "state", "attempt", "error")
    return NewEvent(EventType.STEP, {"step": step.key, **{name: getattr(step, name) for name in told}})


def steps_in(session: Session, job: Job, *states: StepState) -> list[Step]:
    """The steps of the job that are in one of these states, as they are now."""
    session.flush()
    query = select(Step).where(Step.job_id == job.id, Step.state.in_(states)).order_by(Step.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))
