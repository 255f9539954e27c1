"""When a step that runs gives its worker up, after a checkpoint, for a job that has waited long.

A job has waited long after ``DNA_PREEMPT_SECONDS``. A step gives way to it where the job

- has a higher priority, or
- has the same and is *small*: it is expected to need less than the step has run since it was claimed, and less than the step still
  needs; and its key has had less of the devices lately, or is the step's own. Then it is *let through*: it goes before
  all others of its priority from now on, or another would get the worker that was given up for it.

No step gives way before it has run for that time, nor in the last such time of its work. So what is interrupted again and again keeps at
least half of its device against small jobs, whatever comes, and only a higher priority can take more. What is expected
of a job that waits is what its plan gives it at the pace of the step: whether the device is fast or slow is the same for both.

At most one step is asked for each queue until it has given way, or is taken to hang: then another is asked. It is the one of the lowest
priority, of the key that has had most, with most to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from dna_engine.plans import CHECKPOINTED_KINDS
from store import claims, jobs, quotas
from store.spans import in_words

#: Only one node decides at a time.
_LOCK = 0x646E61_707265

#: ``priority`` is that of :mod:`store.line`, 0 for the highest. ``busy``: steps that may give way, with what a small job may need at most,
#: ``room``, in the seconds of its plan. ``waiting``: for each queue that their workers take, each key's next step that has waited long, and that
#: of a small job for each key with something busy.
_FIND = text(f"""
    WITH busy AS MATERIALIZED (
        SELECT step.id, step.job_id, step.fence, step.share_id, step.rank / 2 AS priority,
            coalesce(share.standing, '-infinity') AS standing,
            worker.queues, work.left_seconds, least(work.ran, work.left_seconds) / work.pace AS room
        FROM steps step
        JOIN workers worker ON worker.id = step.lease_owner
        LEFT JOIN shares share ON share.id = step.share_id
        CROSS JOIN LATERAL (SELECT
            CASE WHEN step.total > 0 THEN step.done::float8 / step.total ELSE 0 END AS fraction) far
        CROSS JOIN LATERAL (SELECT
            CASE WHEN far.fraction >= 0.05 AND step.engine_seconds > 0 AND step.expected_seconds > 0
                THEN step.engine_seconds / (step.expected_seconds * far.fraction) ELSE 1 END AS pace) speed
        CROSS JOIN LATERAL (SELECT speed.pace, extract(epoch FROM clock_timestamp() - step.started_at)::float8 AS ran,
            coalesce(step.eta_seconds, step.expected_seconds * (1 - far.fraction) * speed.pace, 0) AS left_seconds) work
        WHERE step.state = 'running' AND step.kind = ANY(:kinds) AND step.yield_reason IS NULL
            AND work.ran >= :patience AND work.left_seconds >= :patience
    ),
    asked AS (
        SELECT DISTINCT jsonb_array_elements_text(worker.queues) AS queue
        FROM steps step JOIN workers worker ON worker.id = step.lease_owner
        WHERE step.state = 'running' AND step.yield_reason IS NOT NULL
            AND step.yield_asked_at > clock_timestamp() - make_interval(secs => :hanging)
    ),
    wanted AS MATERIALIZED (
        SELECT DISTINCT jsonb_array_elements_text(queues) AS queue FROM busy EXCEPT SELECT queue FROM asked
    ),
    keys AS MATERIALIZED (
        SELECT wanted.queue, step.share_id AS id
        FROM wanted JOIN steps step ON step.queue = wanted.queue AND step.state = 'queued'
        GROUP BY wanted.queue, step.share_id
    ),
    waiting AS (
        SELECT keys.queue, keys.id AS share_id, found.*, coalesce(share.standing, '-infinity') AS standing
        FROM keys
        LEFT JOIN shares share ON share.id = keys.id
        CROSS JOIN LATERAL (
            SELECT step.job_id, step.rank / 2 AS priority, job.expected_seconds * (1 - job.progress) AS needs,
                extract(epoch FROM clock_timestamp() - greatest(step.queued_at, step.available_at))::float8 AS waited,
                own.small
            FROM (
                SELECT NULL::float8 AS room, false AS small, NULL::int AS priority
                UNION ALL
                SELECT max(room), true, priority
                FROM busy WHERE busy.share_id = keys.id AND busy.queues ? keys.queue
                GROUP BY priority
            ) own
            CROSS JOIN LATERAL (
                SELECT step.* FROM steps step JOIN jobs job ON job.id = step.job_id
                WHERE step.state = 'queued' AND step.queue = keys.queue AND step.share_id = keys.id
                    AND (own.priority IS NULL OR step.rank / 2 = own.priority)
                    AND (own.room IS NULL OR job.expected_seconds * (1 - job.progress) < own.room)
                    AND greatest(step.queued_at, step.available_at) <= clock_timestamp() - make_interval(secs => :patience)
                    AND step.phase = job.phase AND NOT job.cancel_requested
                    AND (job.state = 'running' OR job.state = 'queued' AND {quotas.MAY_BEGIN.format("keys.id")})
                ORDER BY step.rank, step.job_id, step.id LIMIT 1
            ) step
            JOIN jobs job ON job.id = step.job_id
        ) found
    )
    SELECT busy.id AS step_id, busy.fence, waiting.job_id, waiting.waited, waiting.priority < busy.priority AS higher,
        waiting.share_id = busy.share_id AS own
    FROM waiting JOIN busy ON busy.queues ? waiting.queue
    WHERE waiting.priority < busy.priority
        OR waiting.priority = busy.priority AND waiting.needs < busy.room AND waiting.job_id <> busy.job_id
            AND (waiting.share_id = busy.share_id OR waiting.standing < busy.standing)
    ORDER BY waiting.priority, waiting.standing, waiting.small, waiting.job_id,
        busy.priority DESC, busy.standing DESC, busy.left_seconds DESC, busy.id
    LIMIT 1
""")


@dataclass(frozen=True)
class Yielding:
    """A step that was asked to give its worker up, and the job for which."""

    step_id: UUID
    job_id: UUID
    reason: str


def make_way(session: Session, *, patience: timedelta, hanging: timedelta | None = None) -> Yielding | None:
    """Asks a step to give its worker up, where one is to. Safe to call from several nodes at once: one of them decides.

    Args:
        patience: what a job waits before anything gives way to it, and what a step runs before it does.
        hanging: so long after it was asked a step that runs on is not waited for any more; by default as long.
    """
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
        return None
    hanging = patience if hanging is None else hanging
    asks = {
        "patience": patience.total_seconds(),
        "hanging": hanging.total_seconds(),
        "kinds": sorted(CHECKPOINTED_KINDS),
        "days": quotas.WINDOW.days,
    }
    found = session.execute(_FIND, asks).one_or_none()
    if found is None:
        return None
    whose = "higher priority" if found.higher else "small job of the same key" if found.own else "small job"
    reason = f"a {'job of a ' * found.higher}{whose} has waited for {in_words(timedelta(seconds=found.waited))}"
    if not claims.ask_to_yield(session, found.step_id, found.fence, reason):
        return None
    if not found.higher:
        job = jobs.lock(session, found.job_id)
        job.let_through = True
        jobs.line_up(session, job)
    return Yielding(found.step_id, found.job_id, reason)
