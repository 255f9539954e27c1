"""A worker gives its step back in the middle, for a job that goes before it; when that is so: tests/store/test_preemption.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from store import attempts
from store.session import transaction
from store.states import AttemptOutcome, StepState
from store.tables import Round
from tests.store.builders import new_search
from tests.worker.conftest import Bench
from tests.worker.test_reaper import unsent, wait_since
from tests.worker.test_supervisor import supervised
from worker.app import make_app
from worker.maintenance import Maintenance


def test_one_node_looks_for_all_and_another_when_it_is_gone(
    bench: Bench, wait_for: Callable[[Callable[[], bool]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look is counted under the round that it belongs to, as it stands in the table."""
    looks: list[datetime] = []

    def look(session: Session, **_: object) -> None:
        looks.append(session.get_one(Round, "preemption").begun_at)

    monkeypatch.setattr("worker.preemption.preemption.make_way", look)
    nodes = [replace(bench.slot) for _ in range(3)]
    every = timedelta(hours=1)
    for slot in nodes:
        slot.settings = slot.settings.model_copy(update={"reap_seconds": every.total_seconds()})
    with make_app(bench.slot.settings) as app:
        some = [Maintenance(slot, app) for slot in nodes]
        for left in (some, some[1:], some[2:]):
            for _ in range(2):
                for node in left:
                    node._make_way()
            with transaction(bench.slot.sessions) as session:
                session.execute(update(Round).values(begun_at=Round.begun_at - every))
    assert len(looks) == len(set(looks)) == 3


def test_who_does_not_hear_of_redis_leaves_the_search_for_lost_messages_to_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    monkeypatch.setattr("worker.maintenance.rewake", lambda *_: looked.append(_))
    with make_app(bench.slot.settings) as app:
        node = Maintenance(bench.slot, app)
        for answers in (None, False, True, True):
            bench.slot.redis_answers = answers
            node._rewake()
            assert len(looked) == int(answers is True)


def test_what_a_node_fails_at_is_left_to_the_next_that_comes(bench: Bench) -> None:
    """It comes again as soon as the next round is due, before all others: they would else never look."""
    bench.slot.redis_answers = True
    failing = replace(bench.slot)
    failing.settings = bench.slot.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with make_app(bench.slot.settings) as app:
        wait_since(bench, 1000)
        one, other = Maintenance(failing, app), Maintenance(bench.slot, app)
        before = unsent(bench)
        one._rewake()
        assert unsent(bench) == before
        other._rewake()
        assert unsent(bench) == before + 1


def test_the_worker_goes_to_a_job_of_a_higher_priority(
    bench: Bench, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    bench.slot.settings = bench.slot.settings.model_copy(update={"preempt_seconds": 0.01, "reap_seconds": 0.1})
    with (
        make_app(bench.slot.settings) as app,
        Maintenance(bench.slot, app),
        supervised(bench, "slow", wait_for),
        transaction(bench.slot.sessions) as session,
    ):
        urgent = new_search(session, priority="high").id
    assert (bench.step.state, bench.step.attempt) == (StepState.QUEUED, 0)
    with transaction(bench.slot.sessions) as session:
        [(attempt, _)] = attempts.of_job(session, bench.job_id, after=None, limit=100)
    assert attempt.outcome == AttemptOutcome.RELEASED
    assert re.fullmatch(r"a job of a higher priority has waited for \d+ s", attempt.reason or "")
    assert bench.claim_next().job_id == urgent
