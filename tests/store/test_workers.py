"""Which workers count as live."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from store import steps, workers
from store.session import clock
from store.tables import Worker
from store.workers import Condition
from tests.store.builders import new_search, new_worker


def test_workers_count_as_live_while_they_beat(session: Session) -> None:
    worker, silent, left = (new_worker(session, hostname=name) for name in ("a", "b", "c"))
    step = steps.of_job(session, new_search(session).id)[0]
    long_ago = clock(session) - timedelta(minutes=5)
    session.execute(update(Worker).values(last_seen_at=long_ago))
    workers.beat(session, worker, current_step_id=step.id)
    workers.beat(session, left, current_step_id=None)
    workers.leave(session, left.id)
    assert workers.live(session, within=timedelta(seconds=30)) == [worker]
    assert worker.current_step_id == step.id
    assert workers.live(session, within=timedelta(hours=1)) == [worker, silent]


def test_one_that_redis_does_not_answer_is_live_and_not_idle(session: Session) -> None:
    """One that has not said is taken for well."""
    silent, well, cut_off = (new_worker(session, hostname=name) for name in ("old", "well", "cut off"))
    workers.beat(session, well, current_step_id=None, condition=Condition(redis_answers=True))
    workers.beat(session, cut_off, current_step_id=None, condition=Condition(redis_answers=False))
    within = timedelta(seconds=30)
    assert workers.live(session, within=within) == [silent, well, cut_off]
    assert workers.idle(session, "gpu", within=within) == [silent, well]
    assert workers.fleet(session, within=within).gpu.count == 2


def test_a_worker_that_was_forgotten_is_known_again_when_it_is_heard(session: Session) -> None:
    worker = new_worker(session, hostname="slept for a week")
    session.expunge(worker)
    session.execute(delete(Worker))
    workers.beat(session, worker, current_step_id=None)
    [found] = workers.live(session, within=timedelta(seconds=30))
    assert (found.id, found.hostname) == (worker.id, "slept for a week")
