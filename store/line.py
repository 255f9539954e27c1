"""The line: in which order steps that wait are claimed.

A higher priority goes first. Of one priority what was let through, see ``store.preemption``; else the key that has had less of the devices
lately, see ``store.shares``, or of those that have had nothing the older key; of one key the oldest job. The jobs of a project that were
asked for without a key count as one key.

One statement says so. It looks at each key that has something in the queue once, by an index, however many jobs the key has queued.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from dna_engine.plans import Kind
from store import quotas

#: ``heads``: the keys that wait in the queue, once for each priority (by halves of the rank, of which the even one was let through), each found
#: from the one before. ``open``: whether a
#: queued job of the key may begin, that is, the key has device-hours and a place for it, as :mod:`store.quotas` says; where none may, only steps
#: of jobs that run are looked at. The first of each is looked for in order, so that what stands behind the next step is not looked at.
#:
#: ``alone``: whoever asks so takes an advisory lock on the step until the transaction ends, and who asks so meanwhile gets the one behind it.
#: The keys are put in order before steps are looked for: what is looked at is locked.
#:
#: It is of one queue: PostgreSQL cannot know how many a list has, and planned the statement anew each time, for longer than it takes.
_NEXT = text(f"""
    WITH RECURSIVE heads(share_id, rank, priority) AS (
        (SELECT share_id, rank, rank / 2 FROM steps
            WHERE state = 'queued' AND queue = :queue ORDER BY share_id, rank LIMIT 1)
        UNION ALL
        SELECT head.share_id, head.rank, head.rank / 2
        FROM heads
        CROSS JOIN LATERAL (SELECT share_id, rank FROM steps
            WHERE state = 'queued' AND queue = :queue AND (share_id, rank) > (heads.share_id, heads.priority * 2 + 1)
            ORDER BY share_id, rank LIMIT 1) head
    )
    SELECT first.id, first.kind
    FROM (
        SELECT heads.*, coalesce(share.standing, '-infinity') AS standing
        FROM heads LEFT JOIN shares share ON share.id = heads.share_id
        ORDER BY heads.rank, standing, heads.share_id
        OFFSET 0
    ) line
    CROSS JOIN LATERAL (SELECT {quotas.MAY_BEGIN.format("line.share_id")} AS open OFFSET 0) may
    CROSS JOIN LATERAL (
        SELECT waiting.id, waiting.kind FROM (
            (SELECT step.id, step.kind
            FROM steps step JOIN jobs job ON job.id = step.job_id
            WHERE may.open AND step.state = 'queued' AND step.queue = :queue AND step.share_id = line.share_id
                AND step.rank BETWEEN line.priority * 2 AND line.priority * 2 + 1 AND step.available_at <= clock_timestamp()
                AND step.phase = job.phase AND NOT job.cancel_requested AND job.state IN ('queued', 'running')
            ORDER BY step.rank, step.job_id, step.id)
            UNION ALL
            (SELECT step.id, step.kind
            FROM jobs job JOIN steps step ON step.job_id = job.id
            WHERE NOT may.open AND job.key_id = line.share_id AND job.state = 'running' AND NOT job.cancel_requested
                AND step.state = 'queued' AND step.queue = :queue AND step.rank BETWEEN line.priority * 2 AND line.priority * 2 + 1
                AND step.available_at <= clock_timestamp() AND step.phase = job.phase
            ORDER BY step.rank, step.job_id, step.id)
            OFFSET 0
        ) waiting
        WHERE NOT :alone OR pg_try_advisory_xact_lock(uuid_hash_extended(waiting.id, 0))
        LIMIT 1
    ) first
    ORDER BY line.rank, line.standing, line.share_id
    LIMIT 1
""").bindparams(bindparam("queue", type_=Text()))


class Next(NamedTuple):
    """The step that is next in a queue."""

    id: UUID
    kind: Kind


def next_step(session: Session, queue: str) -> Next | None:
    """The step that is next in the queue, for who is to claim it: behind those that others are about to claim, since all would else wait for
    the first to find the same step taken. Where nothing is behind them, the first: the others may leave it.

    No row is locked. Whoever claims it may still find that another was quicker, and asks again in a transaction of its own: one that holds
    a job's row does not wait for an older one's.
    """
    return _first(session, queue, alone=True) or _first(session, queue, alone=False)


def waits(session: Session, queue: str) -> bool:
    """Whether something in the queue can be claimed. Keeps nobody from it."""
    return _first(session, queue, alone=False) is not None


def _first(session: Session, queue: str, *, alone: bool) -> Next | None:
    asks = {"queue": queue, "days": quotas.WINDOW.days, "alone": alone}
    found = session.execute(_NEXT, asks).one_or_none()
    return None if found is None else Next(found.id, Kind(found.kind))
