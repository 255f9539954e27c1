"""Figures over many rows."""

from __future__ import annotations

from sqlalchemy.orm import Session

from dna_engine.plans import Kind
from store import flow, keys, statistics
from store.actors import OPERATOR, acting
from store.limits import Limits
from store.states import JobKind, JobState
from tests.store.builders import finish_phase, new_search, new_training, new_worker, queued, succeed, take


def test_what_finished_steps_took(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    claim = take(session, queued(session, search)[0], worker)
    assert statistics.finished_steps(session, Kind.TEACHER, device="cpu") == []
    succeed(session, claim)
    (finished,) = statistics.finished_steps(session, Kind.TEACHER, device="cpu")
    assert (finished.step, finished.spec, finished.engine_seconds) == (claim.step, claim.spec, 1.0)
    assert statistics.finished_steps(session, Kind.TEACHER, device="cpu", at_least=1.1) == []
    assert statistics.finished_steps(session, Kind.TEACHER, device="cuda") == []
    assert statistics.finished_steps(session, Kind.RATE, device="cpu") == []


def test_how_much_there_is(session: Session) -> None:
    assert set(statistics.jobs_by_state(session, JobKind.SEARCH).values()) == {0}
    assert statistics.waiting_steps(session) == {}
    new_search(session)
    flow.cancel(session, new_search(session).id)
    counts = statistics.jobs_by_state(session, JobKind.SEARCH)
    assert (counts[JobState.QUEUED], counts[JobState.CANCELLED], counts[JobState.FAILED]) == (1, 1, 0)
    assert statistics.waiting_steps(session) == {"gpu": 1}
    new_training(session)
    assert statistics.jobs_by_state(session, JobKind.TRAINING)[JobState.QUEUED] == 1
    assert statistics.waiting_steps(session) == {"gpu": 2}


def test_what_another_worker_is_no_use_to_does_not_count(session: Session) -> None:
    """Workers are scaled by it: a thousand jobs of a key that may run one want one."""
    key, _ = keys.create(session, "one at a time", limits=Limits(running_jobs=1))
    session.info.update(acting(keys.caller_of(key).actor))
    first, _ = new_search(session), new_search(session)
    session.info.update(acting(OPERATOR))
    worker = new_worker(session)
    succeed(session, take(session, queued(session, first)[0], worker))
    assert statistics.waiting_steps(session) == {"gpu": 2}, "those of the one that has begun"
    flow.cancel(session, first.id)
    assert statistics.waiting_steps(session) == {"gpu": 1}


def test_what_is_made_again_counts_once(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    lacking, _ = queued(session, search)
    assert statistics.waiting_steps(session) == {"gpu": 2}
    flow.lack(
        session, take(session, lacking, worker), "teacher.json", {"code": "bad_input", "message": "", "param": None}
    )
    assert statistics.waiting_steps(session) == {"gpu": 1}
    succeed(session, take(session, queued(session, search)[0], worker))
    (finished,) = statistics.finished_steps(session, Kind.TEACHER, device="cpu")
    assert finished.engine_seconds == 1.0
