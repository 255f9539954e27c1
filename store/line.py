"""The line: in which order steps that wait are claimed.

A higher priority goes first. Of one priority the key that has had less of the devices lately, see ``store.shares``; of one key what was
let through, see ``store.preemption``, else the oldest job. The jobs of a project that were asked for without a key count as one key.

One statement says so. It looks at each key that has something in the queue once, by an index that has its next step first, however many
jobs the key has queued.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from store import quotas

#: ``keys``: those that wait in each queue, each found from the one before. ``open``: whether a queued job of the key may begin, that is, the key
#: has device-hours and a place for it; where none may, only steps of jobs that run are looked at. :data:`store.quotas` says the same in words.
_NEXT = text("""
    WITH RECURSIVE keys(queue, id) AS (
        SELECT queue, (SELECT share_id FROM steps WHERE state = 'queued' AND queue = wanted.queue ORDER BY share_id LIMIT 1)
        FROM unnest(:queues) wanted(queue)
        UNION ALL
        SELECT queue, (SELECT share_id FROM steps
            WHERE state = 'queued' AND queue = keys.queue AND share_id > keys.id ORDER BY share_id LIMIT 1)
        FROM keys WHERE id IS NOT NULL
    )
    SELECT first.id
    FROM keys
    LEFT JOIN shares share ON share.id = keys.id
    CROSS JOIN LATERAL (SELECT NOT EXISTS (
        SELECT FROM api_keys key WHERE key.id = keys.id AND (
            (SELECT count(*) FROM jobs WHERE key_id = key.id AND state = 'running') >= (key.limits ->> 'running_jobs')::bigint
            OR (SELECT coalesce(sum(seconds), 0) / 3600 FROM device_use WHERE key_id = key.id AND day > current_date - :days)
                >= (key.limits ->> 'device_hours')::float8
        )
    ) AS open) may
    CROSS JOIN LATERAL (
        (SELECT step.id, step.urgency, step.job_id
        FROM steps step JOIN jobs job ON job.id = step.job_id
        WHERE may.open AND step.state = 'queued' AND step.queue = keys.queue AND step.share_id = keys.id
            AND step.available_at <= clock_timestamp()
            AND step.phase = job.phase AND NOT job.cancel_requested AND job.state IN ('queued', 'running')
        ORDER BY step.urgency DESC, step.job_id, step.id LIMIT 1)
        UNION ALL
        (SELECT step.id, step.urgency, step.job_id
        FROM jobs job JOIN steps step ON step.job_id = job.id
        WHERE NOT may.open AND job.key_id = keys.id AND job.state = 'running' AND NOT job.cancel_requested
            AND step.state = 'queued' AND step.queue = keys.queue AND step.available_at <= clock_timestamp() AND step.phase = job.phase
        ORDER BY step.urgency DESC, step.job_id, step.id LIMIT 1)
    ) first
    ORDER BY first.urgency / 2 DESC, coalesce(share.standing, '-infinity'), first.urgency DESC, first.job_id, first.id
    LIMIT 1
""").bindparams(bindparam("queues", type_=ARRAY(Text())))


def next_step(session: Session, queues: Sequence[str]) -> UUID | None:
    """The step that is next in these queues.

    Nothing is locked. Whoever claims it may find that another was quicker, and asks again in a transaction of its own: one that holds a
    job's row does not wait for an older one's.
    """
    found: UUID | None = session.scalar(_NEXT, {"queues": list(queues), "days": quotas.WINDOW.days})
    return found
