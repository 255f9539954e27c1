"""A round is begun by one, when it is due, and by another when that one is gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from store import rounds
from store.session import Sessions, transaction
from store.tables import Round

HOUR = timedelta(hours=1)


def begin(sessions: Sessions, duty: str = "look") -> bool:
    with transaction(sessions) as session:
        return rounds.begin(session, duty, every=HOUR)


def put(session: Session, later: timedelta) -> None:
    session.execute(update(Round).values(begun_at=Round.begun_at + later))


def test_of_many_at_once_one_begins_it_each_time_it_is_due(sessions: Sessions) -> None:
    with ThreadPoolExecutor(8) as nodes:
        for _ in range(5):
            assert sum(nodes.map(lambda _: begin(sessions), range(24))) == 1
            with transaction(sessions) as session:
                put(session, -HOUR)


def test_each_duty_has_its_own(sessions: Sessions) -> None:
    assert [begin(sessions, duty) for duty in ("look", "wake", "look", "wake")] == [True, True, False, False]


def test_one_that_dies_before_it_has_begun_it_leaves_it_to_others(sessions: Sessions) -> None:
    with sessions() as session:
        assert rounds.begin(session, "look", every=HOUR)  # Its connection ends without a COMMIT.
    assert begin(sessions)


def test_a_clock_that_is_put_back_ends_nothing(sessions: Sessions) -> None:
    assert begin(sessions)
    with transaction(sessions) as session:
        put(session, 24 * HOUR)
    assert [begin(sessions), begin(sessions)] == [True, False]
