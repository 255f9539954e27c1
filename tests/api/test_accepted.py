"""Keys that are not looked up again for a few seconds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.accepted import AcceptedKeys
from store.actors import Actor
from store.columns import new_id
from store.keys import Caller
from store.limits import Scope

A_KEY = new_id()
ALICE = Caller(Actor(new_id(), A_KEY, "alice"), frozenset(Scope))
BOB = Caller(Actor(new_id(), new_id(), "bob"), frozenset(Scope))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accepted(clock: Clock) -> AcceptedKeys:
    return AcceptedKeys(5.0, clock)


def test_a_key_is_known_for_so_many_seconds(accepted: AcceptedKeys, clock: Clock) -> None:
    accepted.accept("one", ALICE, changes=accepted.changes)
    clock.now += 4.9
    assert accepted.get("one") is ALICE
    assert accepted.get("on") is None
    clock.now += 0.1
    assert accepted.get("one") is None


def test_a_key_is_not_known_beyond_its_end(clock: Clock) -> None:
    accepted = AcceptedKeys(3600.0, clock)
    accepted.accept("one", replace(ALICE, expires_at=datetime.now(UTC) + timedelta(seconds=60)), changes=0)
    clock.now += 50.0
    assert accepted.get("one") is not None
    clock.now += 10.0
    assert accepted.get("one") is None


def test_none_is_kept_where_each_request_is_to_look(clock: Clock) -> None:
    accepted = AcceptedKeys(0.0, clock)
    accepted.accept("one", ALICE, changes=0)
    assert accepted.get("one") is None


def test_a_revoked_key_is_forgotten_and_no_other(accepted: AcceptedKeys) -> None:
    accepted.accept("one", ALICE, changes=0)
    accepted.accept("two", BOB, changes=0)
    accepted.forget(A_KEY)
    assert accepted.get("one") is None
    assert accepted.get("two") is BOB


def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_kept(accepted: AcceptedKeys) -> None:
    before = accepted.changes
    accepted.forget(A_KEY)
    accepted.accept("one", ALICE, changes=before)
    assert accepted.get("one") is None


def test_only_so_many_are_kept(accepted: AcceptedKeys) -> None:
    for number in range(1025):
        accepted.accept(str(number), ALICE, changes=0)
    assert accepted.get("0") is None
    assert accepted.get("1") is ALICE
