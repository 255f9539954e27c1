"""API keys: ``dna_`` + prefix of 8 characters + ``_`` + secret + checksum. 256 random bits, kept as a SHA-256 only."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.columns import new_id
from store.errors import Ambiguous, NotFound
from store.refs import meant
from store.session import clock
from store.tables import ApiKey

_SHAPE = re.compile(r"dna_([0-9a-f]{8})_([0-9a-f]{64})([0-9a-f]{8})")

_BEGINNING = re.compile(r"dna_([0-9a-f]{8})(?:_|$)")

#: ``last_used_at`` is that coarse, so that reading does not write at every request.
USE_RESOLUTION = timedelta(minutes=1)


def create(session: Session, name: str) -> tuple[ApiKey, str]:
    """A new key: its row, and the key itself, which cannot be had again."""
    prefix, secret = secrets.token_hex(4), secrets.token_hex(32)
    body = f"dna_{prefix}_{secret}"
    key = f"{body}{_checksum(body)}"
    row = ApiKey(id=new_id(), name=name, prefix=prefix, sha256=_hash(key))
    session.add(row)
    session.flush()
    return row, key


def authenticate(session: Session, key: str) -> ApiKey | None:
    """The row of a valid key; None when it is malformed, unknown or revoked. A typing error costs no query."""
    match = _SHAPE.fullmatch(key)
    if match is None or not compare_digest(match[3], _checksum(key[:-8])):
        return None
    row = session.scalar(select(ApiKey).where(ApiKey.prefix == match[1], ApiKey.revoked_at.is_(None)))
    if row is None or not compare_digest(row.sha256, _hash(key)):
        return None
    now = clock(session)
    if row.last_used_at is None or now - row.last_used_at > USE_RESOLUTION:
        row.last_used_at = now
    return row


def find(session: Session, ref: str) -> ApiKey:
    """The key that a person means: by name, by an end of its id, or by ``dna_`` and its prefix, as of a key that leaked.

    Of several those that are not revoked are meant.

    Raises:
        NotFound: there is none.
        Ambiguous: there are several; says which.
    """
    prefix = match[1] if (match := _BEGINNING.match(ref)) else ref
    rows = list(session.scalars(select(ApiKey).where(meant(prefix, ApiKey.id, ApiKey.name, ApiKey.prefix))))
    rows = [row for row in rows if row.name == ref] or rows
    rows = [row for row in rows if row.revoked_at is None] or rows
    if len(rows) > 1:
        raise Ambiguous("key", ref, [f"{row.id} ({row.name})" for row in rows])
    if not rows:
        raise NotFound("key", ref)
    return rows[0]


def revoke(session: Session, key_id: UUID) -> ApiKey:
    """The key opens nothing from now on.

    Raises:
        NotFound: there is none of that id.
    """
    row = session.get(ApiKey, key_id)
    if row is None:
        raise NotFound("key", key_id)
    row.revoked_at = row.revoked_at or clock(session)
    return row


def listing(session: Session) -> list[ApiKey]:
    """Every key, newest first, revoked ones too."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.id.desc())))


def any_active(session: Session) -> bool:
    """Whether some key would be accepted."""
    return session.scalar(select(ApiKey.id).where(ApiKey.revoked_at.is_(None)).limit(1)) is not None


def _hash(key: str) -> str:
    """No salt, no stretching: 256 random bits cannot be guessed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    """Tells a mistyped key from a wrong one, and lets scanners of leaked secrets recognise ours."""
    return f"{zlib.crc32(body.encode()):08x}"
