"""What jobs wait for, looked at once in a while for all."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from api.jobs.waits import GOOD_SECONDS, LAST_SECONDS, NOTHING, Waits
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


def _search(sessions: Sessions) -> UUID:
    with transaction(sessions) as session:
        search: UUID = new_search(session).id
        return search
