"""A queued step becomes a worker's: its job is locked, then it is taken, then all who watch are told. One statement each.

Every node does this for every step, with all that is queued behind it: so it is of rows, and its statements are made once. By objects, as the rest
of what moves jobs is, it takes twice as long, most of it in Python; see ``store.moves``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Interval, Row, Select, Uuid, bindparam, func, insert, literal, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from store import changes, deliveries, events, jobs, moves, quotas
from store.columns import Base, new_id, rows_of
from store.limits import Limits
from store.states import FINISHED, AttemptOutcome, JobState, StepState, move_job
from store.tables import ApiKey, Attempt, Job, Step, Webhook, Worker

_JOBS, _STEPS, _ATTEMPTS = rows_of(Job), rows_of(Step), rows_of(Attempt)
_WORKERS, _KEYS, _WEBHOOKS = rows_of(Worker), rows_of(ApiKey), rows_of(Webhook)

# An update sets what a parameter of it is called by: none is called as a column that it is not to set.

_LOCK: Select[Any] = (
    select(
        *(_JOBS.c[name] for name in ("id", "kind", "project_id", "key_id", "state", "phase", "cancel_requested")),
        *(_JOBS.c[name] for name in ("error", "event_seq", "started_at", "resolved", "request_id", "traceparent")),
        _KEYS.c.limits,
    )
    .outerjoin(_KEYS, _KEYS.c.id == _JOBS.c.key_id)
    .where(_JOBS.c.id == select(_STEPS.c.job_id).where(_STEPS.c.id == bindparam("step")).scalar_subquery())
    .with_for_update(key_share=True, of=_JOBS)
)

_taken = (
    update(_STEPS)
    .where(
        _STEPS.c.id == bindparam("step"),
        _STEPS.c.state == StepState.QUEUED,
        _STEPS.c.phase == bindparam("in_phase"),
    )
    .values(
        state=StepState.RUNNING,
        attempt=_STEPS.c.attempt + 1,
        fence=_STEPS.c.fence + 1,
        lease_owner=bindparam("worker"),
        lease_expires_at=func.clock_timestamp() + bindparam("lease", type_=Interval()),
        device=bindparam("on"),
        started_at=func.clock_timestamp(),
        finished_at=None,
        error=None,
        yield_reason=None,
        yield_asked_at=None,
    )
    .returning(_STEPS)
    .cte("taken")
)

#: What an attempt begins with, by column; see ``store.attempts``.
_BEGUN = {
    "id": bindparam("new_attempt", type_=Uuid()),
    "job_id": _taken.c.job_id,
    "step_id": _taken.c.id,
    "fence": _taken.c.fence,
    "attempt": _taken.c.attempt,
    "worker_id": _taken.c.lease_owner,
    "hostname": bindparam("of_host", type_=_ATTEMPTS.c.hostname.type),
    "device": _taken.c.device,
    "device_name": bindparam("named", type_=_ATTEMPTS.c.device_name.type),
    "started_at": _taken.c.started_at,
    "outcome": literal(AttemptOutcome.RUNNING, _ATTEMPTS.c.outcome.type),
    "engine_before": _taken.c.engine_seconds,
    "engine_seconds": literal(0.0),
    # To the bit what ``Step.progress`` says: an attempt that has done nothing tells no speed.
    "progress_before": func.coalesce(_taken.c.done / func.nullif(_taken.c.total, 0).cast(Double()), 0.0),
}

_TAKE: Select[Any] = select(
    *(_taken.c[name] for name in ("id", "job_id", "key", "kind", "phase", "state", "attempt", "fence")),
    *(_taken.c[name] for name in ("payload", "error", "started_at")),
    # Asked behind the lock, however long that was waited for: who listens by now is told.
    select(_WEBHOOKS.c.id)
    .where(_WEBHOOKS.c.enabled, _WEBHOOKS.c.project_id == bindparam("in_project"))
    .exists()
    .label("listened_to"),
).add_cte(
    insert(_ATTEMPTS).from_select(list(_BEGUN), select(*_BEGUN.values()), include_defaults=False).cte("begun"),
    update(_WORKERS)
    .where(_WORKERS.c.id == _taken.c.lease_owner)
    .values(current_step_id=_taken.c.id, last_seen_at=func.clock_timestamp())
    .cte("at_work"),
)

_TOLD = update(_JOBS).where(_JOBS.c.id == bindparam("of_job")).values(event_seq=bindparam("last"))
# Of a job that runs already there is the event of its step alone to tell.
_GO_ON = _TOLD.add_cte(events.INSERT.cte("told"))
_BEGIN = (
    _TOLD.values(state=JobState.RUNNING, started_at=func.coalesce(_JOBS.c.started_at, bindparam("since")))
    .add_cte(events.INSERT.cte("told"))
    .add_cte(changes.INSERT.cte("noted"))
)


def lock(session: Session, step_id: UUID) -> Row[Any] | None:
    """The job of a queued step, locked as by ``store.jobs.lock``; None where nothing of it may begin: it is stopped or gone, or its key runs as
    many jobs as it may, or has no device-hours left."""
    session.flush()
    job = session.execute(_LOCK, {"step": step_id}).one_or_none()
    if job is None or job.cancel_requested or job.state in FINISHED:
        return None
    if job.state == JobState.QUEUED and job.limits is not None:
        return job if quotas.has_place(session, job.key_id, Limits.model_validate(job.limits)) else None
    return job


def take(session: Session, job: Row[Any], step_id: UUID, worker: Worker, *, lease_seconds: float) -> Row[Any] | None:
    """The step is the worker's from now on: it, its attempt and the worker say so. None where another has it, it is done, or waits for an
    earlier phase in which something is made again.

    Args:
        job: of :func:`lock`.
    """
    asks = {
        "step": step_id,
        "in_phase": job.phase,
        "in_project": job.project_id,
        "worker": worker.id,
        "on": worker.device,
        "lease": timedelta(seconds=lease_seconds),
        "new_attempt": new_id(),
        "of_host": worker.hostname,
        "named": worker.device_name,
    }
    step = session.execute(_TAKE, asks).one_or_none()
    _refresh(session, Step, step_id)
    return step


def begin(session: Session, job: Row[Any], step: Row[Any]) -> None:
    """The job of a step that was taken runs from now on, and whoever watches is told of both."""
    begins = job.state == JobState.QUEUED
    if begins and step.listened_to:
        _tell(session, job.id, step)
    news = [jobs.news(job, JobState.RUNNING), moves.news(step)] if begins else [moves.news(step)]
    asks = {"of_job": job.id, "told": events.rows(news, after=job.event_seq), "last": job.event_seq + len(news)}
    if begins:
        change = {"new_change": new_id(), "of_kind": job.kind, "of_project": job.project_id}
        session.execute(_BEGIN, {**asks, **change, "since": step.started_at})
    else:
        session.execute(_GO_ON, asks)
    _refresh(session, Job, job.id)


def _tell(session: Session, job_id: UUID, step: Row[Any]) -> None:
    job = session.get_one(Job, job_id, populate_existing=True)
    job.state = move_job(job.state, JobState.RUNNING)
    job.started_at = job.started_at or step.started_at
    deliveries.tell(session, job)
    session.flush()


def _refresh(session: Session, mapped: type[Base], row_id: UUID) -> None:
    """What the session has read of the row before is as it is now."""
    known = session.identity_map.get(identity_key(mapped, row_id))
    if known is not None:
        session.refresh(known)
