"""Answers kept for repeated requests. Requests in flight at once are in test_concurrency."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from store import idempotency
from store.errors import IdempotencyMismatch


def test_idempotent_answers_are_replayed_and_forgotten(session: Session) -> None:
    request = {"owner": "me", "key": "k", "request_sha256": "1"}
    assert idempotency.begin(session, **request) is None
    idempotency.finish(session, **request, status=201, headers={}, body=b"\x00\xff")
    answer = idempotency.begin(session, **request)
    assert answer is not None
    assert answer.body == b"\x00\xff"
    with pytest.raises(IdempotencyMismatch, match="new key"):
        idempotency.begin(session, owner="me", key="k", request_sha256="2")
    assert idempotency.begin(session, **request, keep=timedelta(seconds=-1)) is None
