"""How long rows are kept that nobody needs for ever: the one place where tables that only grow have their end.

Jobs, networks, datasets, files and keys are kept until somebody deletes them, unless ``store.expiry`` is told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select, tuple_
from sqlalchemy.orm import Session

from store import changes, quotas
from store.columns import Base
from store.session import Sessions, clock, transaction
from store.settings import Settings
from store.states import EventType
from store.tables import (
    Delivery,
    DeviceUse,
    Event,
    IdempotencyKey,
    Job,
    JobChange,
    Metric,
    MetricRun,
    OutboxMessage,
    Worker,
)

#: Rows deleted in one transaction: nobody waits long for a lock.
BATCH = 5_000


def purge(sessions: Sessions, settings: Settings) -> dict[str, int]:
    """Deletes what is older than the settings say, batch by batch; returns how many rows of which table. Safe to run anywhere."""
    counts = {}
    for table in (Delivery, DeviceUse, Event, IdempotencyKey, JobChange, Metric, MetricRun, OutboxMessage, Worker):
        deleted = _purge_some(sessions, settings, table)
        counts[table.__tablename__] = deleted
        while deleted == BATCH:
            deleted = _purge_some(sessions, settings, table)
            counts[table.__tablename__] += deleted
    return counts


def _purge_some(sessions: Sessions, settings: Settings, table: type[Base]) -> int:
    with transaction(sessions) as session:
        return delete_some(session, table, _expired(settings, clock(session))[table])


def delete_some(session: Session, table: type[Base], expired: ColumnElement[bool]) -> int:
    """Deletes at most ``BATCH`` of the rows; returns how many."""
    key = tuple_(*table.__table__.primary_key)
    some = select(*table.__table__.primary_key).where(expired).limit(BATCH)
    return len(session.execute(delete(table).where(key.in_(some)).returning(*table.__table__.primary_key)).all())


def _expired(settings: Settings, now: datetime) -> Mapping[type[Base], ColumnElement[bool]]:
    """Which rows have had their time, by table."""
    return {
        DeviceUse: DeviceUse.day <= (now - quotas.WINDOW).date(),
        Delivery: Delivery.created_at < now - timedelta(days=settings.webhook_days),
        IdempotencyKey: IdempotencyKey.created_at < now - timedelta(hours=settings.idempotency_hours),
        JobChange: JobChange.created_at < now - changes.KEPT,
        OutboxMessage: OutboxMessage.sent_at < now - timedelta(hours=settings.sent_hours),
        Worker: func.greatest(Worker.last_seen_at, Worker.stopped_at) < now - timedelta(days=settings.worker_days),
        # What a stream needs to tell how a job went stays with the job.
        Event: (Event.type != EventType.STATE) & Event.job_id.in_(_ended(now - timedelta(days=settings.event_days))),
        **{each: each.job_id.in_(_ended(now - timedelta(days=settings.metric_days))) for each in (Metric, MetricRun)},
    }


def _ended(before: datetime) -> Select[UUID]:
    return select(Job.id).where(Job.finished_at < before)
