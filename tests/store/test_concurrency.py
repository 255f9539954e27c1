"""Several connections at once: one claimer wins, events have no gap, senders share the outbox, requests wait their turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from store import events, flow, idempotency, jobs, keys, line, outbox, searches, steps
from store.actors import acting
from store.errors import RequestInFlight
from store.events import NewEvent
from store.filters import Filter
from store.limits import Limits
from store.order import At
from store.session import Sessions, transaction
from store.states import EventType
from store.tables import Search, Worker
from tests.store.builders import new_search, new_worker, next_id

Answer = TypeVar("Answer")


def at_once(count: int, work: Callable[[int], Answer]) -> list[Answer]:
    """Runs ``work`` in so many threads that start together."""
    start = threading.Barrier(count)

    def wait_and_work(number: int) -> Answer:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_work, range(count)))


def stored(sessions: Sessions) -> tuple[Search, Worker]:
    with transaction(sessions) as session:
        return new_search(session), new_worker(session)


def test_one_of_many_claimers_wins(sessions: Sessions) -> None:
    search, worker = stored(sessions)
    with transaction(sessions) as session:
        step_id = steps.of_job(session, search.id)[0].id

    def claim(_: int) -> bool:
        with transaction(sessions) as session:
            return flow.claim(session, step_id, worker, lease_seconds=60) is not None

    assert sorted(at_once(6, claim)) == [False] * 5 + [True]


def test_as_many_claimers_as_steps_leave_none_waiting_and_the_oldest_go_first(sessions: Sessions) -> None:
    """What a message names does not matter, only how many there are."""
    (first, worker), (second, _), (third, _) = (stored(sessions) for _ in range(3))

    def claim(_: int) -> UUID:
        while True:
            with transaction(sessions) as session:
                step_id = next_id(session, "gpu")
                assert step_id is not None
                if taken := flow.claim(session, step_id, worker, lease_seconds=60):
                    return taken.job_id

    assert set(at_once(2, claim)) == {first.id, second.id}
    assert claim(0) == third.id
    with transaction(sessions) as session:
        assert next_id(session, "gpu") is None


def first_steps(sessions: Sessions, *made: Search) -> list[UUID]:
    with transaction(sessions) as session:
        return [steps.of_job(session, search.id)[0].id for search in made]


def test_who_asks_meanwhile_is_told_of_the_step_behind(sessions: Sessions) -> None:
    """Nothing more is kept from others than what one is told of, though it is of other keys."""
    with transaction(sessions) as session:
        made = [new_search(session)]
        for name in "ab":
            key, _ = keys.create(session, name, limits=Limits())
            session.info.update(acting(keys.caller_of(key).actor))
            made.append(new_search(session))
    ids = set(first_steps(sessions, *made))
    with transaction(sessions) as one, transaction(sessions) as two, transaction(sessions) as three:
        assert {next_id(session, "gpu") for session in (one, two, three)} == ids


def test_what_another_asks_for_and_leaves_is_not_forgotten(sessions: Sessions) -> None:
    """Whose message it is has no other: it would wait until it is announced again."""
    search, _ = stored(sessions)
    with transaction(sessions) as one, transaction(sessions) as two:
        assert next_id(one, "gpu") == next_id(two, "gpu") == first_steps(sessions, search)[0]


def test_who_only_looks_keeps_nobody_from_what_waits(sessions: Sessions) -> None:
    first, _ = stored(sessions)
    stored(sessions)
    with transaction(sessions) as looks, transaction(sessions) as takes:
        assert line.waits(looks, "gpu")
        assert not line.waits(looks, "cpu")
        assert next_id(takes, "gpu") == first_steps(sessions, first)[0]


def test_events_have_no_gap_and_no_reader_misses_one(sessions: Sessions) -> None:
    search, _ = stored(sessions)
    writers, rounds = 4, 15
    done = threading.Event()

    def write(number: int) -> None:
        for _ in range(rounds):
            with transaction(sessions) as session:
                news = [NewEvent(EventType.LOG, {"writer": number, "n": n}) for n in range(2)]
                events.append(session, jobs.lock(session, search.id), news)

    def follow() -> list[int]:
        seen: list[int] = []
        while True:
            last_look = done.is_set()
            with transaction(sessions) as session:
                seen += [event.seq for event in events.after(session, search.id, seen[-1] if seen else 0)]
            if last_look:
                return seen

    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(follow)
        at_once(writers, write)
        done.set()
        assert following.result() == list(range(1, writers * rounds * 2 + 2))


def test_an_event_of_a_rolled_back_transaction_leaves_no_gap(sessions: Sessions) -> None:
    search, _ = stored(sessions)
    with sessions() as session:
        events.append(session, jobs.lock(session, search.id), [NewEvent(EventType.LOG, {})])
        session.rollback()
    with transaction(sessions) as session:
        assert events.append(session, jobs.lock(session, search.id), [NewEvent(EventType.LOG, {})]) == 2


def test_two_senders_take_different_messages(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        for number in range(4):
            outbox.put(session, task="t", queue="cpu", payload={"n": str(number)})
    with transaction(sessions) as one, transaction(sessions) as two:
        first, second = outbox.take_pending(one, limit=3), outbox.take_pending(two, limit=3)
        assert [message.payload["n"] for message in first + second] == ["0", "1", "2", "3"]
        outbox.mark_sent(one, [message.id for message in first])
    with transaction(sessions) as session:
        assert [message.payload["n"] for message in outbox.take_pending(session)] == ["3"]


def test_a_request_in_flight_is_told_so(sessions: Sessions) -> None:
    request = {"owner": "me", "key": "k", "request_sha256": "0"}
    with transaction(sessions) as first:
        assert idempotency.begin(first, **request) is None
        with pytest.raises(RequestInFlight), transaction(sessions) as second:
            idempotency.begin(second, **request)
        with transaction(sessions) as other:
            assert idempotency.begin(other, owner="you", key="k", request_sha256="0") is None
        idempotency.finish(first, **request, status=201, headers={"location": "/x"}, body=b'{"a": 1}')
    with transaction(sessions) as later:
        answer = idempotency.begin(later, **request)
        assert answer is not None
        assert (answer.status, answer.headers, answer.body) == (201, {"location": "/x"}, b'{"a": 1}')


def test_a_cancel_and_a_claim_do_not_cross(sessions: Sessions) -> None:
    """Either the claim comes first and the step runs until it is stopped, or it finds nothing to claim."""
    search, worker = stored(sessions)
    with transaction(sessions) as session:
        step_id = steps.of_job(session, search.id)[0].id

    def act(number: int) -> object:
        with transaction(sessions) as session:
            if number:
                return flow.cancel(session, search.id).state
            return flow.claim(session, step_id, worker, lease_seconds=60)

    claimed, state = at_once(2, act)
    assert state == ("running" if claimed else "cancelled")


def test_nothing_is_kept_of_a_search_that_cannot_be_created(sessions: Sessions) -> None:
    def create_and_fail() -> None:
        with transaction(sessions) as session:
            new_search(session)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        create_and_fail()
    with transaction(sessions) as session:
        assert searches.listing(session, Filter(), At()).items == []
        assert outbox.take_pending(session) == []


def test_the_same_wake_is_sent_again_only_when_nobody_came(session: Session) -> None:
    search = new_search(session)
    assert steps.rewake(session, ["gpu"], after=timedelta(seconds=60)) == 0
    assert steps.rewake(session, ["cpu"], after=timedelta(0)) == 0
    assert steps.rewake(session, ["gpu"], after=timedelta(0)) == 1
    session.flush()
    assert len(outbox.take_pending(session)) == 2
    flow.cancel(session, search.id)
    assert steps.rewake(session, ["gpu"], after=timedelta(0)) == 0
