"""API keys: ``dna_`` + prefix of 8 characters + ``_`` + secret + checksum. 256 random bits, kept as a SHA-256 only."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import TIMESTAMP, func, or_, select
from sqlalchemy.orm import Session

from store import projects, quotas
from store.actors import Actor
from store.columns import new_id
from store.errors import Ambiguous, KeyEnded, LastAdmin, NotFound
from store.filters import holds
from store.limits import Limits, Scope
from store.pages import Page, page
from store.refs import meant
from store.session import clock
from store.tables import ApiKey, Project

_SHAPE = re.compile(r"dna_([0-9a-f]{8})_([0-9a-f]{64})([0-9a-f]{8})")

_BEGINNING = re.compile(r"dna_([0-9a-f]{8})(?:_|$)")

#: ``last_used_at`` is that coarse, so that reading does not write at every request.
USE_RESOLUTION = timedelta(minutes=1)

#: What a key may do where nothing else is said.
USUAL = (Scope.READ, Scope.RUN)


@dataclass(frozen=True)
class Caller:
    """Who calls, and what for.

    Attributes:
        actor: who acts in the sessions of a request.
        expires_at: of the key.
        project: name of the actor's.
    """

    actor: Actor
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    project: str | None = None

    @property
    def owner(self) -> str:
        """Whose idempotency keys and predictions are counted together: the id of the key, or ``local``."""
        return str(self.actor.key_id or "local")


def create(
    session: Session,
    name: str,
    *,
    project: str | None = None,
    scopes: Collection[Scope] = USUAL,
    expires_at: datetime | None = None,
    limits: Limits | None = None,
) -> tuple[ApiKey, str]:
    """A new key: its row, and the key itself, which cannot be had again.

    Args:
        project: the name of the one that it belongs to, which is made where there is none; by default a new one, called as the key.

    Raises:
        NameTaken: no key may be of that project.
        InvalidName: there is no such project, and none can be called so.
    """
    prefix, secret = secrets.token_hex(4), secrets.token_hex(32)
    body = f"dna_{prefix}_{secret}"
    key = f"{body}{_checksum(body)}"
    row = ApiKey(
        id=new_id(),
        name=name,
        project_id=projects.joined(session, project) if project else projects.made(session, name, prefix),
        prefix=prefix,
        sha256=_hash(key),
        scopes=[scope.value for scope in Scope if scope in scopes],
        limits=(limits or Limits()).model_dump(exclude_none=True),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row, key


def authenticate(session: Session, key: str) -> Caller | None:
    """Who calls by a key; None when it is malformed or unknown. A typing error costs no query.

    Raises:
        KeyEnded: it is the whole of a key that was revoked or has expired. Who has not all of it is not told that it exists.
    """
    match = _SHAPE.fullmatch(key)
    if match is None or not compare_digest(match[3], _checksum(key[:-8])):
        return None
    found = session.execute(
        select(ApiKey, func.clock_timestamp(type_=TIMESTAMP(timezone=True)), Project.name)
        .join(Project, Project.id == ApiKey.project_id)
        .where(ApiKey.prefix == match[1])
    ).one_or_none()
    if found is None or not compare_digest(found[0].sha256, _hash(key)):
        return None
    row, now, project = found
    if row.revoked_at is not None:
        raise KeyEnded("The key was revoked.")
    if row.expires_at is not None and row.expires_at <= now:
        raise KeyEnded(f"The key has expired, at {row.expires_at:%Y-%m-%d %H:%M} UTC.")
    if row.last_used_at is None or now - row.last_used_at > USE_RESOLUTION:
        row.last_used_at = now
    return caller_of(row, project)


def caller_of(row: ApiKey, project: str | None = None) -> Caller:
    """Who calls by the key of that row, of the project of that name."""
    scopes = frozenset(Scope(scope) for scope in row.scopes)
    actor = Actor(row.project_id, row.id, row.name, Scope.ADMIN in scopes, Limits.model_validate(row.limits))
    return Caller(actor, scopes, row.expires_at, project)


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


def get(session: Session, key_id: UUID) -> ApiKey:
    """The key of that id.

    Raises:
        NotFound: there is none.
    """
    row = session.get(ApiKey, key_id)
    if row is None:
        raise NotFound("key", key_id)
    return row


def revoke(session: Session, key_id: UUID) -> ApiKey:
    """The key opens nothing from now on.

    Raises:
        NotFound: there is none of that id.
    """
    row = get(session, key_id)
    row.revoked_at = row.revoked_at or clock(session)
    return row


def allow(row: ApiKey, scopes: Collection[Scope], usual: Callable[[Collection[Scope]], Limits]) -> None:
    """What the key may do from now on.

    Its highest priority goes with that where it was the usual one: an admin's key says any, and one that is none of an admin any more does not.

    Args:
        usual: limits of a key with such scopes that is made without its own.
    """
    limits, before = Limits.model_validate(row.limits), usual([Scope(scope) for scope in row.scopes])
    if limits.priority == before.priority:
        row.limits = limits.model_copy(update={"priority": usual(scopes).priority}).model_dump(exclude_none=True)
    row.scopes = [scope.value for scope in Scope if scope in scopes]


def limit(session: Session, row: ApiKey, limits: Limits) -> None:
    """What the key may use from now on. Its jobs that may run now are announced."""
    row.limits = limits.model_dump(exclude_none=True)
    session.flush()
    quotas.announce_next(session, row.id)


@contextmanager
def keeping_an_admin(session: Session) -> Iterator[None]:
    """For changes of keys after which some key must be one of an admin, where one was before. Others who change keys so wait until the
    transaction ends.

    Raises:
        LastAdmin: none would be left.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("keys of admins", 0))))
    could = any_active(session, Scope.ADMIN)
    yield
    session.flush()
    if could and not any_active(session, Scope.ADMIN):
        raise LastAdmin


def listing(
    session: Session, *, project: str | None = None, part: str | None = None, after: UUID | None = None, limit: int = 20
) -> Page[ApiKey]:
    """A page of keys, newest first, revoked ones too: of a project, where its name is given, and with ``part`` in their names."""
    query = select(ApiKey)
    if project is not None:
        query = query.where(projects.of_project(ApiKey, project))
    if part:
        query = query.where(holds(ApiKey.name, part))
    return page(session, query, ApiKey.id, after=after, limit=limit)


def everyone(session: Session) -> list[ApiKey]:
    """Every key, newest first, revoked ones too."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.id.desc())))


def any_active(session: Session, scope: Scope | None = None) -> bool:
    """Whether some key would be accepted; of those with the scope, where one is given."""
    lasting = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.clock_timestamp())
    query = select(ApiKey.id).where(ApiKey.revoked_at.is_(None), lasting)
    if scope is not None:
        query = query.where(ApiKey.scopes.contains([scope.value]))
    return session.scalar(query.limit(1)) is not None


def ended(session: Session, ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the keys that open nothing any more: revoked, or expired."""
    over = or_(ApiKey.revoked_at.is_not(None), ApiKey.expires_at <= func.clock_timestamp())
    return frozenset(session.scalars(select(ApiKey.id).where(ApiKey.id.in_(ids), over)))


def _hash(key: str) -> str:
    """No salt, no stretching: 256 random bits cannot be guessed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    """Tells a mistyped key from a wrong one, and lets scanners of leaked secrets recognise ours."""
    return f"{zlib.crc32(body.encode()):08x}"
