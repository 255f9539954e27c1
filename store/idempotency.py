"""Answers to requests that carry an Idempotency-Key, so that a repeated request gets the same answer, byte for byte.

The key is taken by a lock that lasts as long as the transaction that does the work and stores the answer: a process
that dies half-way leaves nothing behind, and the request can be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store.errors import IdempotencyMismatch, RequestInFlight
from store.session import clock
from store.tables import IdempotencyKey


def begin(
    session: Session, *, owner: str, key: str, request_sha256: str, keep: timedelta = timedelta(hours=24)
) -> IdempotencyKey | None:
    """The answer given before, or None: do the work and :func:`finish` it in this transaction.

    Raises:
        RequestInFlight: the same request is being worked on.
        IdempotencyMismatch: the key belongs to another request.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_lock_number(owner, key)))):
        raise RequestInFlight("A request with this Idempotency-Key is being answered. Repeat it in a moment.")
    oldest = clock(session) - keep
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.owner == owner, IdempotencyKey.key == key, IdempotencyKey.created_at < oldest
        )
    )
    answer = session.get(IdempotencyKey, (owner, key))
    if answer is not None and answer.request_sha256 != request_sha256:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used with another request. Use a new key for a new request."
        )
    return answer


def finish(
    session: Session,
    *,
    owner: str,
    key: str,
    request_sha256: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Stores the answer, in the transaction of the work it tells of."""
    session.add(
        IdempotencyKey(
            owner=owner, key=key, request_sha256=request_sha256, status=status, headers=dict(headers), body=body
        )
    )
    session.flush()


def _lock_number(owner: str, key: str) -> int:
    digest = hashlib.sha256(f"{owner}\n{key}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], signed=True)
