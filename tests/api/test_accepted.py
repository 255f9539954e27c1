"""Keys that are not looked up again for a few seconds."""

from __future__ import annotations

import pytest

from api.accepted import AcceptedKeys, Caller
from store.columns import new_id

ALICE, BOB = Caller("alice"), Caller("bob")


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
    accepted.accept("one", new_id(), ALICE, revocations=accepted.revocations)
    clock.now += 4.9
    assert accepted.get("one") is ALICE
    assert accepted.get("on") is None
    clock.now += 0.1
    assert accepted.get("one") is None


def test_none_is_kept_where_each_request_is_to_look(clock: Clock) -> None:
    accepted = AcceptedKeys(0.0, clock)
    accepted.accept("one", new_id(), ALICE, revocations=0)
    assert accepted.get("one") is None


def test_a_revoked_key_is_forgotten_and_no_other(accepted: AcceptedKeys) -> None:
    first, second = new_id(), new_id()
    accepted.accept("one", first, ALICE, revocations=0)
    accepted.accept("two", second, BOB, revocations=0)
    accepted.revoke(first)
    assert accepted.get("one") is None
    assert accepted.get("two") is BOB


def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_kept(accepted: AcceptedKeys) -> None:
    before = accepted.revocations
    key_id = new_id()
    accepted.revoke(key_id)
    accepted.accept("one", key_id, ALICE, revocations=before)
    assert accepted.get("one") is None


def test_only_so_many_are_kept(accepted: AcceptedKeys) -> None:
    for number in range(1025):
        accepted.accept(str(number), new_id(), ALICE, revocations=0)
    assert accepted.get("0") is None
    assert accepted.get("1") is ALICE
