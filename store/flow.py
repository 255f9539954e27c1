"""How a job moves: along its plan as steps succeed, and out of it when one fails, stops or is taken over.

Called by workers with what they hold (a claim), and by the API (cancel, resume). Each function locks the job first,
leaves rows, events and wakes that agree, and commits nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.errors import InvalidSpec
from dna_engine.events import Log, Metric, Progress
from dna_engine.plans import Kind, plan_of
from dna_engine.spec import ResolvedJob
from store import (
    artifacts,
    attempts,
    claiming,
    claims,
    datasets,
    events,
    jobs,
    moves,
    quotas,
    results,
    steps,
    tallies,
    workers,
)
from store.advance import Grouping, advance, update_progress
from store.artifacts import StoredFile
from store.claims import Claim
from store.columns import Json
from store.errors import IllegalTransition, NotFound
from store.events import NewEvent, Point
from store.session import clock
from store.states import FINISHED, AttemptOutcome, EventType, JobKind, JobState, StepState
from store.tables import Job, Step, Worker

logger = logging.getLogger("dna.store.flow")

#: Kinds of step that can be repeated after they have succeeded: what they recorded is replaced, and the rest of the job stands.
_REPEATABLE = frozenset({Kind.TEACHER, Kind.DISTILL, Kind.LATENCY, Kind.RATE, Kind.TIME, Kind.FINALIST, Kind.TRAIN})


def claim(session: Session, step_id: UUID, worker: Worker, *, lease_seconds: float) -> Claim | None:
    """Takes a queued step; its job runs from now on. None when there is nothing to do.

    A step that this version cannot read fails with its job: it would be the next for every worker, and nothing behind it run.
    """
    job = claiming.lock(session, step_id)
    step = job and claiming.take(session, job, step_id, worker, lease_seconds=lease_seconds)
    if job is None or step is None:
        return None
    try:
        claim = claims.of_step(job, step)
    except (ValidationError, InvalidSpec) as error:
        logger.warning("Step %s cannot be read: %s", step_id, error)
        _give_up(session, jobs.lock(session, job.id), steps.get(session, step_id))
        return None
    claiming.begin(session, job, step)
    return claim


def report(
    session: Session,
    claim: Claim,
    batch: Sequence[Progress | Metric | Log],
    *,
    engine_seconds: float,
    live_within: timedelta = workers.SILENCE,
) -> None:
    """Stores what the engine said since the last report, in order; of several progress events the last counts.

    Args:
        engine_seconds: time the engine ran since the last report.
        live_within: workers that were seen within this time share what is left.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    job, step = claims.held(session, claim)
    quotas.spend(session, job, step, engine_seconds)
    news = []
    if progress := next((event for event in reversed(batch) if isinstance(event, Progress)), None):
        step.done, step.total, step.unit = progress.done, progress.total, progress.unit
        step.eta_seconds, step.parts = progress.eta_seconds, progress.parts
        update_progress(session, job, live_within)
        whole = {"phase": job.phase, "progress": job.progress, "job_eta_seconds": job.eta_seconds}
        told = progress.model_dump(mode="json", exclude={"event"})
        news.append(NewEvent(EventType.PROGRESS, {"step": step.key, **told, **whole}))
    points = [Point(event.series, event.x, event.y) for event in batch if isinstance(event, Metric)]
    events.add_points(session, job.id, points)
    for event in batch:
        if not isinstance(event, Progress):
            told = event.model_dump(mode="json", exclude={"event"})
            news.append(NewEvent(EventType(event.event), {"step": step.key, **told}))
    if news:
        events.append(session, job, news)


def save_checkpoint(session: Session, claim: Claim, file: StoredFile) -> list[str]:
    """Records the step's checkpoint and keeps the one before; returns the locations of files that go, after the commit.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    job, _ = claims.held(session, claim)
    replaced = artifacts.keep_before(session, job.id, claim.step.checkpoint, claim.step.checkpoint_before)
    return replaced + artifacts.record(session, job.id, [file])


def succeed(
    session: Session,
    claim: Claim,
    values: Json,
    files: Sequence[StoredFile],
    *,
    engine_seconds: float,
    group: Grouping,
    live_within: timedelta = workers.SILENCE,
) -> list[str]:
    """The step is done: records its values and files, and goes on to the next phase when this one is complete.

    Returns the locations of files replaced or no longer needed, to be deleted after the commit. Done by this claim before,
    nothing is done.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    if claims.succeeded(session, claim):
        return []
    job, step = claims.held(session, claim)
    step.values = values
    step.done = step.total = max(step.total, 1)
    quotas.spend(session, job, step, engine_seconds)
    attempts.end(session, step, AttemptOutcome.SUCCEEDED, spec=claim.spec)
    moves.leave(session, job, step, StepState.SUCCEEDED)
    replaced = artifacts.record(session, job.id, files)
    results.record(session, job, step)
    replaced += artifacts.remove(session, job.id, claim.step.checkpoint, claim.step.checkpoint_before)
    advance(session, job, group, max_attempts=step.max_attempts, live_within=live_within)
    return replaced


def fail(
    session: Session,
    claim: Claim,
    error: Json,
    *,
    engine_seconds: float,
    retry: bool,
    wait: timedelta = timedelta(0),
) -> StepState:
    """The attempt failed. With ``retry`` and attempts left, the step is queued again; otherwise the job fails.

    Args:
        error: ``code``, ``message`` and ``param``.
        retry: whether another attempt may go better: a crash, not an error in the spec.
        wait: how long before that attempt.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    job, step = claims.held(session, claim)
    quotas.spend(session, job, step, engine_seconds)
    return _failed_attempt(session, job, step, error, retry=retry, wait=wait)


def lack(session: Session, claim: Claim, name: str, error: Json) -> StepState:
    """An input of the step is damaged or gone. The step that makes it is queued again and this one waits for it, while attempts
    are left; where that step cannot be repeated, the job fails.

    Args:
        name: of the file.
        error: ``code``, ``message`` and ``param``.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    job, step = claims.held(session, claim)
    maker = _maker(session, job, claim.spec, name)
    retry = maker is not None and step.attempt < step.max_attempts
    if maker is not None and retry and maker.state == StepState.SUCCEEDED and not moves.stopping(job):
        maker.attempt, maker.done, maker.engine_seconds = 0, 0, 0.0
        moves.requeue(session, job, maker)
        job.phase = min(job.phase, maker.phase, key=plan_of(claim.spec).phases.index)
        jobs.announce(session, job)
        said = Log(level="warning", message=f"{error['message']} {maker.key} makes it again.")
        told = {"step": step.key, **said.model_dump(mode="json", exclude={"event"})}
        events.append(session, job, [NewEvent(EventType.LOG, told)])
    return _failed_attempt(session, job, step, error, retry=retry)


def stop(session: Session, claim: Claim, *, engine_seconds: float) -> StepState:
    """The engine stopped early after its checkpoint: cancelled if the job is to stop, else given back and queued for any worker.

    A step that is given back (its worker shuts down, or was asked to yield) does not count as an attempt.

    Raises:
        LeaseLost: the step is not the claimant's any more.
    """
    job, step = claims.held(session, claim)
    quotas.spend(session, job, step, engine_seconds)
    return _stopped(session, job, step, step.yield_reason or "its worker was shut down", claim.spec)


def take_back(session: Session, step_id: UUID, reason: str) -> StepState:
    """Takes a running step from a worker that is none of this service's any more, as if it had given it back."""
    step = steps.get(session, step_id)
    return _stopped(session, jobs.lock(session, step.job_id), step, reason, None)


def _stopped(session: Session, job: Job, step: Step, reason: str, spec: ResolvedJob | None) -> StepState:
    """``spec`` where the engine's time tells how fast the device is."""
    if moves.stopping(job):
        attempts.end(session, step, AttemptOutcome.CANCELLED)
        moves.leave(session, job, step, StepState.CANCELLED)
        moves.settle(session, job)
    else:
        _give_back(session, job, step, reason, spec)
    return step.state


def cancel(session: Session, job_id: UUID) -> Job:
    """Asks a job to stop. What waits is cancelled at once, what runs as soon as its engine has stopped.

    Raises:
        NotFound: there is none of that id.
        IllegalTransition: it has succeeded or failed.
    """
    job = jobs.lock(session, job_id)
    if job.state == JobState.CANCELLED:
        return job
    if job.state in FINISHED:
        raise IllegalTransition(f"The {job.kind} {job.state.said}; there is nothing to cancel.")
    if not job.cancel_requested:
        job.cancel_requested = True
        jobs.announce(session, job)
        moves.cancel_queued(session, job)
        moves.settle(session, job)
    return job


def resume(session: Session, job_id: UUID) -> Job:
    """Queues the unfinished steps of a failed or cancelled job again, with a fresh count of attempts.

    Finished steps are kept, and the others go on from their checkpoints.

    Raises:
        NotFound: there is none of that id.
        IllegalTransition: it has not failed and was not cancelled, or its images were deleted since.
        QueueFull, QuotaSpent: its key may have no more.
    """
    job = jobs.lock(session, job_id)
    if job.state not in (JobState.FAILED, JobState.CANCELLED):
        raise IllegalTransition(f"The {job.kind} {job.state.said}. Only a failed or cancelled one can be resumed.")
    if job.kind != JobKind.CHECK:  # That has its images with itself.
        datasets.check_kept(session, job)
    quotas.admit_again(session, job)
    job.cancel_requested = job.let_through = False
    job.error = job.finished_at = None
    moves.move(session, job, JobState.QUEUED)
    again = moves.steps_in(session, job, StepState.FAILED, StepState.CANCELLED)
    for step in again:
        step.attempt, step.error = 0, None
    moves.requeue_all(session, job, again)
    jobs.line_up(session, job)
    return job


def reap(session: Session, seen: Step) -> Step | None:
    """Takes a step from a worker whose lease ran out: queued again while attempts are left, else failed for good.

    None when there is nothing to take: it was renewed, settled, taken or deleted since it was seen.
    """
    try:
        job = jobs.lock(session, seen.job_id)
    except NotFound:
        return None
    step = session.scalar(
        select(Step)
        .where(
            Step.id == seen.id,
            Step.fence == seen.fence,
            Step.state == StepState.RUNNING,
            Step.lease_expires_at < clock(session),
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if step is None:
        return None
    message = (
        f"The worker that ran {step.key} was lost (attempt {step.attempt} of {step.max_attempts}): its process "
        "or machine ended, or could not reach the database."
    )
    attempts.end(session, step, AttemptOutcome.LOST)
    told = {"step": step.key, **Log(level="warning", message=message).model_dump(mode="json", exclude={"event"})}
    events.append(session, job, [NewEvent(EventType.LOG, told)])
    _failed_attempt(session, job, step, {"code": "worker_lost", "message": message, "param": None}, retry=True)
    return step


def _give_back(session: Session, job: Job, step: Step, reason: str, spec: ResolvedJob | None) -> None:
    attempts.end(session, step, AttemptOutcome.RELEASED, reason, spec=spec)
    said = Log(message=f"{step.key} was given back after a checkpoint and goes on from there: {reason}.")
    told = {"step": step.key, **said.model_dump(mode="json", exclude={"event"})}
    events.append(session, job, [NewEvent(EventType.LOG, told)])
    step.attempt -= 1
    moves.requeue(session, job, step)


def _give_up(session: Session, job: Job, step: Step) -> None:
    message = f"{step.key} was made by another version of the service, and this one cannot read it. Make what it belongs to again."
    error = {"code": "unreadable_step", "message": message, "param": None}
    _failed_attempt(session, job, step, error, retry=False)


def _failed_attempt(
    session: Session, job: Job, step: Step, error: Json, *, retry: bool, wait: timedelta = timedelta(0)
) -> StepState:
    attempts.end(session, step, AttemptOutcome.FAILED)  # One that was lost has ended so.
    tallies.observe(session, tallies.STEP_FAILURES, step.kind, tallies.code_of(error))
    step.error = error
    if moves.stopping(job):
        moves.leave(session, job, step, StepState.CANCELLED)
        moves.settle(session, job)
    elif retry and step.attempt < step.max_attempts:
        moves.requeue(session, job, step, wait=wait)
        tallies.observe(session, tallies.STEP_RETRIES, step.kind)
    else:
        moves.leave(session, job, step, StepState.FAILED)
        job.error = {**error, "step": step.key}
        moves.cancel_queued(session, job)
        moves.finish(session, job, JobState.FAILED)
        results.give_up(session, job)
    return step.state


def _maker(session: Session, job: Job, spec: ResolvedJob, name: str) -> Step | None:
    """The step that makes the file of that name, where it can be repeated."""
    for step in steps.of_job(session, job.id):
        if step.kind in _REPEATABLE and name in step.planned.outputs(spec):
            return step
    return None
