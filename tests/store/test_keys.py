"""API keys: shown once, checked by hash, revoked for good."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import keys
from store.errors import NotFound
from store.tables import ApiKey


def test_a_key_opens_until_it_is_revoked(session: Session) -> None:
    row, key = keys.create(session, "laptop")
    assert key.startswith(f"dna_{row.prefix}_")
    assert key not in session.scalars(select(ApiKey.sha256)).all()
    assert keys.any_active(session)
    assert keys.authenticate(session, key) is row
    assert row.last_used_at is not None
    keys.revoke(session, row.id)
    assert keys.authenticate(session, key) is None
    assert not keys.any_active(session)
    assert keys.listing(session) == [row]


def test_a_wrong_key_opens_nothing(session: Session) -> None:
    _, key = keys.create(session, "laptop")
    _, other = keys.create(session, "server")
    mixed = other[:12] + key[12:]
    for wrong in ("", "dna_", key[:-1], key + "0", key.replace(key[-9], "x"), mixed, "\x00", key.upper()):
        assert keys.authenticate(session, wrong) is None
    with pytest.raises(NotFound):
        keys.revoke(session, uuid4())
