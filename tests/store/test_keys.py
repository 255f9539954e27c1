"""API keys: shown once, checked by hash, revoked for good."""

from __future__ import annotations

import zlib
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import keys
from store.actors import Actor
from store.errors import KeyEnded, NameTaken, NotFound
from store.limits import Limits, Scope
from store.owned import DEFAULT_PROJECT
from store.session import clock
from store.tables import ApiKey


def test_a_key_opens_until_it_is_revoked(session: Session) -> None:
    row, key = keys.create(session, "laptop")
    assert key.startswith(f"dna_{row.prefix}_")
    assert key not in session.scalars(select(ApiKey.sha256)).all()
    assert keys.any_active(session)
    opened = keys.authenticate(session, key)
    assert opened is not None
    assert opened.actor == Actor(row.project_id, row.id, "laptop")
    assert opened.scopes == {Scope.READ, Scope.RUN}
    assert row.last_used_at is not None
    keys.revoke(session, row.id)
    with pytest.raises(KeyEnded, match="revoked"):
        keys.authenticate(session, key)
    assert not keys.any_active(session)
    assert keys.everyone(session) == [row]


def test_a_wrong_key_opens_nothing(session: Session) -> None:
    _, key = keys.create(session, "laptop")
    _, other = keys.create(session, "server")
    mixed = other[:12] + key[12:]
    for wrong in ("", "dna_", key[:-1], key + "0", key.replace(key[-9], "x"), mixed, "\x00", key.upper()):
        assert keys.authenticate(session, wrong) is None
    with pytest.raises(NotFound):
        keys.revoke(session, uuid4())


def test_a_key_that_has_expired_opens_nothing(session: Session) -> None:
    row, key = keys.create(session, "laptop", expires_at=clock(session) + timedelta(hours=1))
    assert keys.authenticate(session, key) is not None
    row.expires_at = clock(session)
    with pytest.raises(KeyEnded, match=f"expired, at {row.expires_at:%Y-%m-%d}"):
        keys.authenticate(session, key)
    assert not keys.any_active(session)


def test_only_who_has_all_of_a_key_is_told_how_it_ended(session: Session) -> None:
    row, key = keys.create(session, "laptop")
    keys.revoke(session, row.id)
    body = f"dna_{row.prefix}_{'0' * 64}"
    guessed = f"{body}{zlib.crc32(body.encode()):08x}"
    assert keys.authenticate(session, guessed) is None
    with pytest.raises(KeyEnded):
        keys.authenticate(session, key)


def test_a_key_is_of_256_random_bits(session: Session) -> None:
    made = [keys.create(session, "same")[1] for _ in range(20)]
    secrets = {bytes.fromhex(key.split("_")[2][:64]) for key in made}
    assert len(secrets) == 20
    assert all(len(secret) == 32 for secret in secrets)


def test_keys_share_a_project_that_both_name(session: Session) -> None:
    first, _ = keys.create(session, "vision")
    second, _ = keys.create(session, "vision")
    third, _ = keys.create(session, "ci", project="vision")
    assert first.project_id != second.project_id
    assert third.project_id == first.project_id
    assert keys.create(session, "ops", project="default")[0].project_id == DEFAULT_PROJECT
    with pytest.raises(NameTaken):
        keys.create(session, "me", project="built-in")


def test_a_key_has_the_scopes_and_limits_it_was_given(session: Session) -> None:
    limits = Limits(running_jobs=2)
    _, key = keys.create(session, "boss", scopes=[Scope.ADMIN], limits=limits)
    opened = keys.authenticate(session, key)
    assert opened is not None
    assert (opened.scopes, opened.actor.sees_all, opened.actor.limits) == ({Scope.ADMIN}, True, limits)
