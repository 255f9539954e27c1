"""Lost workers and lost messages are noticed, and what merely waits is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from sqlalchemy import func, select, update

from store.outbox import RUN_STEP
from store.session import transaction
from store.states import JobState, StepState
from store.tables import OutboxMessage, Step
from tests.store.builders import new_training
from tests.worker.conftest import Bench
from worker.app import make_app
from worker.outbox import relay
from worker.reaper import reap, rewake
from worker.slot import Slot


def unsent(bench: Bench) -> int:
    with transaction(bench.slot.sessions) as session:
        pending = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.sent_at.is_(None))
        return session.scalars(pending).one()


def wait_since(bench: Bench, seconds: float) -> None:
    """As if that much time had passed since the steps were announced and claimed."""
    ago = timedelta(seconds=seconds)
    with transaction(bench.slot.sessions) as session:
        session.execute(update(Step).values(woken_at=Step.woken_at - ago, lease_expires_at=Step.lease_expires_at - ago))


def test_a_message_is_sent_once_and_again_when_it_was_lost(bench: Bench, redis_url: str) -> None:
    app, settings = make_app(bench.slot.settings), bench.slot.settings
    with redis.Redis.from_url(redis_url) as client:
        assert relay(bench.slot.sessions, app) == 1
        assert relay(bench.slot.sessions, app) == 0
        message = client.lindex("gpu", 0)
        assert RUN_STEP.encode() in message
        wait_since(bench, 1000)
        rewake(bench.slot.sessions, settings)
        assert unsent(bench) == 0
        client.flushdb()
        rewake(bench.slot.sessions, settings)
        assert unsent(bench) == 1
        assert relay(bench.slot.sessions, app) == 1
        assert client.llen("gpu") == 1
    app.close()


def test_steps_of_several_devices_are_announced_again_too(slot: Slot, redis_url: str) -> None:
    bench = Bench(slot, lambda session, max_attempts: new_training(session, max_attempts=max_attempts, devices=2))
    app = make_app(slot.settings)
    with redis.Redis.from_url(redis_url) as client:
        assert relay(slot.sessions, app) == 2, "the search of its network was cancelled, and had been announced"
        wait_since(bench, 1000)
        client.flushdb()
        rewake(slot.sessions, slot.settings)
        assert relay(slot.sessions, app) == 1
        assert (client.llen("gpu"), client.llen("gpu2")) == (0, 1)
    app.close()


def test_messages_wait_while_redis_is_away(bench: Bench) -> None:
    away = bench.slot.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    app = make_app(away)
    assert relay(bench.slot.sessions, app) == 0
    with pytest.raises(redis.RedisError):
        rewake(bench.slot.sessions, away)
    assert unsent(bench) == 1
    app.close()


def test_a_lost_worker_gives_its_step_back_until_attempts_are_used_up(bench: Bench) -> None:
    for _ in range(2):
        bench.claim()
        reap(bench.slot.sessions)
        assert bench.step.state == StepState.RUNNING
        wait_since(bench, 1000)
        reap(bench.slot.sessions)
    assert bench.step.state == StepState.FAILED
    assert bench.job.state == JobState.FAILED
    assert (bench.job.error or {})["code"] == "worker_lost"
