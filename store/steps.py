"""Rows of steps: making them, reading them, announcing them to the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dna_engine.effort import timing
from dna_engine.plans import Phase
from dna_engine.plans import Step as PlannedStep
from dna_engine.spec import parse_job
from store import line, outbox
from store.columns import new_id
from store.errors import NotFound
from store.session import clock
from store.states import StepState
from store.tables import Job, Step

#: Steps that are announced again at once.
AT_ONCE = 200


def add(session: Session, job: Job, phase: Phase, planned: Sequence[PlannedStep], *, max_attempts: int) -> list[Step]:
    """Rows for the planned steps of a phase, queued, each with a wake in the outbox."""
    seconds = timing(parse_job(job.resolved))
    steps = [
        Step(
            id=new_id(),
            job_id=job.id,
            key=step.key,
            kind=step.kind,
            phase=phase,
            queue=step.queue,
            share_id=job.share_id,
            rank=job.rank,
            expected_seconds=seconds(step),
            payload=step.model_dump(mode="json"),
            max_attempts=max_attempts,
        )
        for step in planned
    ]
    session.add_all(steps)
    session.flush()
    for step in steps:
        outbox.wake(session, step)
    return steps


def get(session: Session, step_id: UUID) -> Step:
    """The step of that id.

    Raises:
        NotFound: there is none.
    """
    step = session.get(Step, step_id)
    if step is None:
        raise NotFound("step", step_id)
    return step


def of_job(session: Session, job_id: UUID) -> list[Step]:
    """Every step of a job, in the order they were made."""
    return list(session.scalars(select(Step).where(Step.job_id == job_id).order_by(Step.id)))


def of_jobs(session: Session, job_ids: Sequence[UUID]) -> list[Step]:
    """Every step of these jobs."""
    return list(session.scalars(select(Step).where(Step.job_id.in_(job_ids))))


def waited_in(session: Session) -> list[str]:
    """The queues in which steps wait that can be claimed: where keys run as many jobs as they may, nobody need be woken for others of theirs."""
    queues = session.scalars(select(Step.queue).where(Step.state == StepState.QUEUED).distinct()).all()
    return [queue for queue in queues if line.waits(session, queue)]


def rewake(session: Session, queues: Sequence[str], *, after: timedelta) -> int:
    """Announces again what was announced to these queues that long ago and is still unclaimed: its message may be lost.

    At most :data:`AT_ONCE`, since a message says no more than that something waits: each brings a worker to whatever is next. While one
    is there none is lost, so it is time for more when these are gone. Returns how many.
    """
    old = Step.woken_at < func.clock_timestamp() - after
    query = (
        select(Step)
        .where(Step.state == StepState.QUEUED, Step.queue.in_(queues), old)
        .order_by(Step.woken_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    lost = list(session.scalars(query))
    now = clock(session)
    for step in lost:
        step.woken_at = now
        outbox.wake(session, step)
    return len(lost)
