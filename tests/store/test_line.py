"""In which order steps are claimed: by priority, by what keys have had, by age; and that what a job is told of its place agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dna_engine.spec import Priority
from store import flow, jobs, keys, shares, steps, timings, waiting
from store.actors import OPERATOR, acting
from store.columns import new_id
from store.errors import PriorityTooHigh
from store.limits import Limits
from store.states import JobState
from store.tables import Job, Share, Step, Worker
from tests.store.builders import (
    finish_phase,
    new_architecture,
    new_search,
    new_training,
    new_worker,
    next_id,
    queued,
    take,
)

QUEUES = ["gpu", "cpu"]


class Callers:
    """Keys by a letter, and what they ask for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._keys: dict[str, Any] = {}

    def asks(
        self, name: str, *, limits: Limits | None = None, make: Callable[..., Job] = new_search, **fields: Any
    ) -> Job:
        if name not in self._keys:
            row, _ = keys.create(self.session, name, limits=limits or Limits())
            self._keys[name] = keys.caller_of(row).actor
        self.session.info.update(acting(self._keys[name]))
        try:
            return make(self.session, **fields)
        finally:
            self.session.info.update(acting(OPERATOR))

    def took(self, name: str, seconds: float) -> None:
        shares.take(self.session, self._keys[name].key_id, seconds)


@pytest.fixture
def callers(session: Session) -> Callers:
    return Callers(session)


def claimed(session: Session, worker: Worker, count: int) -> list[UUID]:
    """Jobs in the order in which their steps are claimed; before each it has the first place, where it has none that runs."""
    order = []
    for _ in range(count):
        session.flush()
        looked = waiting.look(session, live_within=timedelta(seconds=30))
        step_id = next_id(session, *QUEUES)
        assert step_id is not None
        step = steps.get(session, step_id)
        job = session.get_one(Job, step.job_id)
        if job.state == JobState.QUEUED:
            assert looked.wait(job.id).queue_position == 1
        take(session, step, worker)
        order.append(job.id)
    return order


def test_a_key_that_queues_many_does_not_hold_up_anothers_one(session: Session, callers: Callers) -> None:
    many = [callers.asks("a").id for _ in range(3)]
    one = callers.asks("b").id
    worker = new_worker(session)
    assert claimed(session, worker, 1) == many[:1]
    callers.took("a", 1.0)
    assert claimed(session, worker, 3) == [one, *many[1:]]


def test_of_one_priority_who_has_had_least_goes_first(session: Session, callers: Callers) -> None:
    asked = {name: callers.asks(name).id for name in "abc"}
    callers.took("a", 60.0)
    callers.took("b", 5.0)
    callers.took("b", 5.0)
    callers.took("c", 30.0)
    assert claimed(session, new_worker(session), 3) == [asked["b"], asked["c"], asked["a"]]


def test_what_was_taken_counts_half_after_a_half_life(session: Session, callers: Callers) -> None:
    asked = {name: callers.asks(name).id for name in "ab"}
    callers.took("a", 100.0)
    session.execute(update(Share).values(standing=Share.standing - shares.HALF_LIFE.total_seconds() / shares.FADING))
    callers.took("b", 49.0)
    assert next_id(session, *QUEUES) == queued(session, session.get_one(Job, asked["b"]))[0].id
    callers.took("b", 2.0)
    assert next_id(session, *QUEUES) == queued(session, session.get_one(Job, asked["a"]))[0].id


@pytest.mark.parametrize("seconds", [1e-9, 1e9])
def test_what_is_too_little_or_too_much_to_add_is_added(session: Session, seconds: float) -> None:
    someone = new_id()
    shares.take(session, someone, 1.0)
    before = session.scalars(select(Share.standing)).one()
    shares.take(session, someone, seconds)
    assert session.scalars(select(Share.standing)).one() >= before


def test_a_higher_priority_goes_before_every_lower_one(session: Session, callers: Callers) -> None:
    low = callers.asks("a", priority="low").id
    normal = [callers.asks("a").id for _ in range(2)]
    high = callers.asks("b", priority="high").id
    callers.took("b", 1000.0)
    assert claimed(session, new_worker(session), 4) == [high, *normal, low]


def test_a_priority_that_is_changed_holds_for_what_waits(session: Session) -> None:
    first, second = new_search(session), new_search(session)
    jobs.prioritise(session, jobs.lock(session, second.id), Priority.HIGH)
    assert jobs.written_now(second)["priority"] == "high"
    assert claimed(session, new_worker(session), 2) == [second.id, first.id]


def test_later_phases_keep_the_priority(session: Session) -> None:
    search, worker = new_search(session, priority="high"), new_worker(session)
    jobs.prioritise(session, jobs.lock(session, search.id), Priority.LOW)
    finish_phase(session, search, worker)
    assert {step.rank for step in queued(session, search)} == {search.rank} == {5}


def test_a_key_gives_no_higher_priority_than_it_may(session: Session, callers: Callers) -> None:
    limits = Limits(priority=Priority.NORMAL)
    with pytest.raises(PriorityTooHigh, match="the priority normal at most, not high"):
        callers.asks("a", limits=limits, priority="high")
    assert callers.asks("a", priority="low").priority == Priority.LOW


def test_where_none_is_asked_for_it_is_one_that_the_key_may_give(session: Session, callers: Callers) -> None:
    """As of what has no spec to ask in: checks of datasets, timings."""
    low, high = Limits(priority=Priority.LOW), Limits(priority=Priority.HIGH)
    network = new_architecture(session)

    def timing(session: Session) -> Job:
        return timings.create(session, network, max_attempts=3)

    made = [callers.asks("a", limits=low), callers.asks("a", make=timing), callers.asks("b", limits=high)]
    assert [job.priority for job in made] == [Priority.LOW, Priority.LOW, Priority.NORMAL]
    assert jobs.written_now(made[0])["priority"] == "low"
    assert "priority" not in jobs.written_now(made[2])
    with pytest.raises(PriorityTooHigh, match="Ask for low"):
        callers.asks("a", priority="normal")


def test_of_one_key_a_search_that_has_begun_goes_before_later_ones(session: Session, callers: Callers) -> None:
    begun, worker = callers.asks("a"), new_worker(session)
    later = callers.asks("a")
    finish_phase(session, begun, worker)
    assert claimed(session, worker, 3) == [begun.id, begun.id, later.id]


def test_a_key_that_may_begin_nothing_goes_on_with_what_it_has_begun(session: Session, callers: Callers) -> None:
    worker = new_worker(session)
    held = callers.asks("a", limits=Limits(running_jobs=1))
    begun = callers.asks("a")
    other = callers.asks("b")
    finish_phase(session, begun, worker)
    callers.took("b", 1000.0)
    assert claimed(session, worker, 3) == [begun.id, begun.id, other.id]
    assert next_id(session, *QUEUES) is None
    assert held.state == JobState.QUEUED


def test_jobs_without_a_key_are_one_caller(session: Session, callers: Callers) -> None:
    first, second = new_search(session), new_search(session)
    other, worker = callers.asks("a"), new_worker(session)
    step = queued(session, first)[0]
    flow.report(session, take(session, step, worker), [], engine_seconds=10.0)
    assert claimed(session, worker, 2) == [other.id, second.id]


def test_each_queue_has_its_own_line(session: Session, callers: Callers) -> None:
    search = callers.asks("a")
    training = callers.asks("a", make=new_training, devices=2)
    assert next_id(session, "gpu2") == queued(session, training)[0].id
    assert next_id(session, "gpu") == queued(session, search)[0].id
    assert next_id(session, "cpu", "gpu", "gpu2") == queued(session, search)[0].id
    assert next_id(session, "cpu") is None


def places(session: Session, ids: Sequence[UUID]) -> list[int | None]:
    looked = waiting.look(session, live_within=timedelta(seconds=30))
    return [looked.wait(job_id).queue_position for job_id in ids]


def test_keys_are_told_places_as_if_they_took_turns(session: Session, callers: Callers) -> None:
    many = [callers.asks("a").id for _ in range(3)]
    others = [callers.asks("b").id, callers.asks("c", priority="low").id]
    assert places(session, [*many, *others]) == [1, 3, 4, 2, 5]
    callers.took("a", 1.0)
    assert places(session, [*many, *others]) == [2, 3, 4, 1, 5]


def test_steps_stand_where_their_jobs_do(session: Session, callers: Callers) -> None:
    """The copies by which they are found agree with what they are copies of."""
    worker = new_worker(session)
    search = callers.asks("a", priority="high")
    finish_phase(session, search, worker)
    jobs.prioritise(session, jobs.lock(session, search.id), Priority.LOW)
    search.let_through = True
    jobs.line_up(session, search)
    flow.cancel(session, search.id)
    flow.resume(session, search.id)
    session.expire_all()
    for step in session.scalars(select(Step)):
        assert (step.share_id, step.rank) == (search.share_id, search.rank)
