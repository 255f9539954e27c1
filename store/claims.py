"""Who runs a step: claimed by compare-and-set, see ``store.claiming``, held under a lease, told apart by a fencing token.

Every claim raises the step's fence. Every later write of the claimant goes through :func:`held`, which finds the step
only under that fence, so a worker that was thought dead and comes back cannot write into another one's attempt.

Lock order everywhere: the job's row, then rows of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, select, update
from sqlalchemy.orm import Session

from dna_engine.plans import Step as PlannedStep
from dna_engine.spec import ResolvedJob, parse_job
from store import jobs
from store.errors import LeaseLost, NotFound
from store.session import clock
from store.states import FINISHED, StepState
from store.tables import Job, Step, Worker


@dataclass(frozen=True)
class Claim:
    """What a worker holds while it runs a step: what to do, and the fence that its writes carry."""

    step_id: UUID
    job_id: UUID
    fence: int
    attempt: int
    step: PlannedStep
    spec: ResolvedJob
    request_id: str | None
    """Of the request that made the job."""
    traceparent: str | None
    """Of that request, where it was traced."""


def of_worker(session: Session, worker: Worker) -> Claim | None:
    """What a worker holds by the book. One that runs nothing has claimed it without being told."""
    query = (
        select(Step).where(Step.lease_owner == worker.id, Step.state == StepState.RUNNING).order_by(Step.id).limit(1)
    )
    step = session.scalar(query)
    return None if step is None else of_step(session.get_one(Job, step.job_id), step)


def of_step(job: Job | Row[Any], step: Step | Row[Any]) -> Claim:
    """What whoever runs the step now holds.

    Raises:
        ValidationError, InvalidSpec: what is to be done is not written as this version reads it.
    """
    return Claim(
        step_id=step.id,
        job_id=job.id,
        fence=step.fence,
        attempt=step.attempt,
        step=PlannedStep.model_validate(step.payload),
        spec=parse_job(job.resolved),
        request_id=job.request_id,
        traceparent=job.traceparent,
    )


def renew(session: Session, claim: Claim, *, lease_seconds: float) -> None:
    """Extends the lease from now on.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    renewed = session.scalar(
        update(Step)
        .where(Step.id == claim.step_id, Step.fence == claim.fence, Step.state == StepState.RUNNING)
        .values(lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_seconds))
        .returning(Step.id)
        .execution_options(synchronize_session=False)
    )
    if renewed is None:
        raise LeaseLost(claim.step_id, claim.fence)


def let_go(session: Session, worker_id: UUID, *, after: timedelta) -> int:
    """The worker is known to have died: what it held is free for others after that time, or when its lease ends, if that is sooner.

    Returns of how many steps.
    """
    free = func.clock_timestamp() + after
    freed = session.scalars(
        update(Step)
        .where(Step.lease_owner == worker_id, Step.state == StepState.RUNNING)
        .values(lease_expires_at=func.least(Step.lease_expires_at, free))
        .returning(Step.id)
        .execution_options(synchronize_session=False)
    )
    return len(freed.all())


def held(session: Session, claim: Claim) -> tuple[Job, Step]:
    """The job and the step, both locked until the transaction ends.

    Raises:
        LeaseLost: the step is not the claimant's any more, or its job was deleted.
    """
    try:
        job = jobs.lock(session, claim.job_id)
    except NotFound as error:
        raise LeaseLost(claim.step_id, claim.fence) from error
    step = session.scalar(
        select(Step)
        .where(Step.id == claim.step_id, Step.fence == claim.fence, Step.state == StepState.RUNNING)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if step is None:
        raise LeaseLost(claim.step_id, claim.fence)
    return job, step


def succeeded(session: Session, claim: Claim) -> bool:
    """Whether the claimant has brought the step to its end before: it asks again when it was not told."""
    step = session.get(Step, claim.step_id, populate_existing=True)
    return step is not None and step.fence == claim.fence and step.state == StepState.SUCCEEDED


class Ask(StrEnum):
    """What is asked of whoever runs a step.

    STOP: the job was cancelled, has failed meanwhile, or is gone: the step is to end within seconds.
    YIELD: to stop after a checkpoint and give the step back, since its worker is wanted for something that goes first.
    """

    STOP = "stop"
    YIELD = "yield"


def asked(session: Session, claim: Claim) -> Ask | None:
    """What is asked of the claimant, if anything."""
    own = and_(Step.job_id == Job.id, Step.id == claim.step_id, Step.fence == claim.fence)
    query = select(Job.cancel_requested, Job.state, Step.yield_reason).outerjoin(Step, own)
    row = session.execute(query.where(Job.id == claim.job_id)).one_or_none()
    if row is None or row.cancel_requested or row.state in FINISHED:
        return Ask.STOP
    return None if row.yield_reason is None else Ask.YIELD


def ask_to_yield(session: Session, step_id: UUID, fence: int, reason: str) -> bool:
    """Asks whoever runs the step under that fence to stop after a checkpoint and give it back, see ``flow.stop``. The attempt is not counted.

    Args:
        reason: the end of a sentence that its owner reads in the log and in the timeline: nothing of others' jobs.

    Returns whether it still runs so, and was not asked before.
    """
    asks = (
        update(Step)
        .where(Step.id == step_id, Step.fence == fence, Step.state == StepState.RUNNING, Step.yield_reason.is_(None))
        .values(yield_reason=reason, yield_asked_at=func.clock_timestamp())
        .returning(Step.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(asks) is not None


def expired(session: Session) -> list[Step]:
    """Running steps whose lease has run out, in the order in which to lock. Look again under the lock before acting."""
    query = select(Step).where(Step.state == StepState.RUNNING, Step.lease_expires_at < clock(session))
    return list(session.scalars(query.order_by(Step.job_id, Step.id)))
