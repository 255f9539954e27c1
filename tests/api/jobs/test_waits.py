"""What jobs wait for, looked at once in a while for all."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from api.jobs.waits import GOOD_SECONDS, LAST_SECONDS, NOTHING, Waits
from store import waiting
from store.columns import new_id
from store.session import Sessions, transaction
from tests.store.builders import new_search, new_worker


def test_a_look_is_good_for_a_moment_but_not_for_jobs_that_came_since(sessions: Sessions) -> None:
    now = 0.0
    waits = Waits(sessions, timedelta(seconds=30), lambda: now)
    first, second = _search(sessions), _search(sessions)
    looked = waits.of([first, second])
    assert "none is live" in (looked.reason(second) or "")
    with transaction(sessions) as session:
        new_worker(session)
    assert waits.of([second]) is looked
    third = _search(sessions)
    again = waits.of([second, third])
    assert [again.reason(search) for search in (first, third)] == [
        None,
        "2 jobs before it on the worker of here (cpu)",
    ]
    assert waits.of([first]) is again
    now = GOOD_SECONDS
    assert waits.of([first]) is again, "another look is made behind it"
    waits.close()
    behind = waits.of([first])
    assert behind is not again
    now += LAST_SECONDS
    assert waits.of([first]) is not behind


def test_where_nothing_is_unfinished_nothing_is_looked_for(sessions: Sessions) -> None:
    _search(sessions)
    assert Waits(sessions, timedelta(seconds=30)).of([]) is NOTHING


def test_those_who_wait_for_a_look_share_the_next_also_where_it_does_not_know_their_job(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, looks = threading.Event(), threading.Event(), 0
    look = waiting.look

    def hold_up(session: Session, *, live_within: timedelta) -> waiting.Queues:
        nonlocal looks
        looks += 1
        began.set()
        go_on.wait()
        return look(session, live_within=live_within)

    monkeypatch.setattr(waiting, "look", hold_up)
    ticks = itertools.count()
    asked: set[int] = set()

    def clock() -> float:
        asked.add(threading.get_ident())
        return next(ticks) / 1000

    waits, unknown = Waits(sessions, timedelta(seconds=30), clock), new_id()
    go_on.set()
    waits.of([unknown])
    began.clear()
    go_on.clear()
    asked.clear()
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(waits.of, [unknown])
        began.wait()
        others = [threads.submit(waits.of, [unknown]) for _ in range(5)]
        while len(asked) < 6:
            time.sleep(0.01)
        go_on.set()
        assert not any(each.result().knows(unknown) for each in (first, *others))
    assert looks == 1 + 2


def _search(sessions: Sessions) -> UUID:
    with transaction(sessions) as session:
        search: UUID = new_search(session).id
        return search
