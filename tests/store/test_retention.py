"""Rows that nobody needs for ever go when they have had their time, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import deliveries, events, flow, idempotency, keys, notices, retention, workers
from store.columns import Base
from store.events import NewEvent, Point
from store.session import Sessions, clock, transaction
from store.settings import Settings
from store.states import EventType
from store.tables import Delivery, DeviceUse, Event, IdempotencyKey, Job, JobChange, Metric, OutboxMessage, Worker
from tests.store.builders import new_search, new_webhook, new_worker

#: Longer than everything is kept.
LONG = timedelta(days=400)

TABLES: tuple[type[Base], ...] = (Delivery, DeviceUse, Event, IdempotencyKey, JobChange, Metric, OutboxMessage, Worker)


def count(sessions: Sessions, table: type[Base]) -> int:
    with transaction(sessions) as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def fill(sessions: Sessions, key: str) -> None:
    """A search that has ended, and a row or more in every table."""
    with transaction(sessions) as session:
        search = new_search(session)
        events.append(session, search, [NewEvent(EventType.LOG, {"message": "hello"})] * 3)
        events.add_points(session, search.id, [Point("loss", x, 1.0) for x in range(3)])
        flow.cancel(session, search.id)
        workers.leave(session, new_worker(session).id)
        used = DeviceUse(key_id=keys.create(session, key)[0].id, day=clock(session).date(), seconds=1.0)
        session.add(used)
        webhook = new_webhook(session, enabled=False)
        deliveries.put(session, webhook, notices.of_test(session, webhook.id))
        request = {"owner": "me", "key": key, "request_sha256": "1"}
        idempotency.finish(session, **request, status=201, headers={}, body=b"")
        session.execute(update(OutboxMessage).where(OutboxMessage.sent_at.is_(None)).values(sent_at=func.now()))


def age(sessions: Sessions) -> None:
    """All that is there happened long ago."""
    with transaction(sessions) as session:
        then = clock(session) - LONG
        session.execute(update(Job).values(finished_at=then))
        session.execute(update(IdempotencyKey).values(created_at=then))
        session.execute(update(OutboxMessage).values(sent_at=then))
        session.execute(update(Delivery).values(created_at=then))
        session.execute(update(JobChange).values(created_at=then))
        session.execute(update(DeviceUse).values(day=then.date()))
        session.execute(update(Worker).values(last_seen_at=then, stopped_at=then))


def test_only_what_is_old_goes(sessions: Sessions, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    fill(sessions, "old")
    age(sessions)
    fill(sessions, "new")
    assert count(sessions, Metric) == 6
    deleted = retention.purge(sessions, settings)
    assert deleted == {
        "deliveries": 1,
        "device_use": 1,
        "events": 4,
        "idempotency_keys": 1,
        "job_changes": 3,
        "metrics": 3,
        "metric_runs": 1,
        "outbox": 1,
        "workers": 1,
    }
    assert retention.purge(sessions, settings) == dict.fromkeys(deleted, 0)
    assert {table: count(sessions, table) for table in TABLES} | {Event: 0} == {
        Delivery: 1,
        DeviceUse: 1,
        Event: 0,
        IdempotencyKey: 1,
        JobChange: 3,
        Metric: 3,
        OutboxMessage: 1,
        Worker: 1,
    }
    with transaction(sessions) as session:
        old, _ = session.scalars(select(Job).order_by(Job.id))
        told = events.after(session, old.id, 0)
    assert {event.type for event in told} == {EventType.STATE}
    assert told[-1].data["state"] == "cancelled"


def test_what_runs_and_waits_keeps_everything(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        search = new_search(session)
        events.add_points(session, search.id, [Point("loss", 1.0, 1.0)])
        new_worker(session)
        session.execute(update(Job).values(created_at=clock(session) - LONG))
    assert set(retention.purge(sessions, settings).values()) == {0}
