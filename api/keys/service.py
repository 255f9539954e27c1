"""Keys as admins and callers see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from api.errors import Invalid
from api.keys.schemas import KeyDetail, KeyIn, KeyOut, KeyPatch, KeyUse, KeyWithSecret, MyKey
from api.settings import ApiSettings
from api.uploads.files import Uploads
from store import keys, projects, quotas
from store.errors import InvalidName
from store.keys import Caller
from store.limits import Limits, Scope
from store.session import clock
from store.tables import ApiKey


def create(session: Session, settings: ApiSettings, sent: KeyIn) -> KeyWithSecret:
    """A new key.

    Raises:
        Invalid: it would have expired already.
        Invalid: there is no such project, and none can be called so.
        NameTaken: no key may be of that project.
    """
    _check_end(session, sent.expires_at)
    new = sent.project is None or not projects.exists(session, sent.project)
    try:
        row, key = keys.create(
            session,
            sent.name,
            project=sent.project,
            scopes=sent.scopes,
            expires_at=sent.expires_at,
            limits=_with(settings.key_limits(sent.scopes), sent.limits),
        )
    except InvalidName as error:
        message = error.message
        raise Invalid(f"{message}.", errors=[{"pointer": "#/project", "detail": message}]) from error
    [shown] = shown_of(session, [row])
    return KeyWithSecret(**shown.model_dump(), project_created=new, key=key)


def change(session: Session, settings: ApiSettings, key_id: UUID, patch: KeyPatch) -> KeyOut:
    """The key with the patch over it.

    Raises:
        Invalid: it would have expired already.
        LastAdmin: no key would be left that manages keys.
        NotFound: there is none of that id.
    """
    row, said = keys.get(session, key_id), patch.model_fields_set
    if "expires_at" in said:
        _check_end(session, patch.expires_at)
        row.expires_at = patch.expires_at
    if "scopes" in said:
        keys.allow(row, patch.scopes, settings.key_limits)
    row.name = patch.name or row.name
    session.flush()
    if "limits" in said:
        keys.limit(session, row, _with(Limits.model_validate(row.limits), patch.limits))
    [shown] = shown_of(session, [row])
    return shown


def _check_end(session: Session, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= clock(session):
        message = "That is over; give a time to come, or none"
        raise Invalid(f"expires_at: {message}.", errors=[{"pointer": "#/expires_at", "detail": message}])


def _with(limits: Limits, written: Limits) -> Limits:
    return limits.model_copy(update={name: getattr(written, name) for name in written.model_fields_set})


def shown_of(session: Session, rows: Sequence[ApiKey]) -> list[KeyOut]:
    """Keys as they are listed."""
    names = projects.names(session, {row.project_id for row in rows})
    own = [name for name in KeyOut.model_fields if name != "project"]
    return [KeyOut(project=names[row.project_id], **{name: getattr(row, name) for name in own}) for row in rows]


def detail(session: Session, uploads: Uploads, key_id: UUID) -> KeyDetail:
    """A key with what it uses.

    Raises:
        NotFound: there is none of that id.
    """
    [shown] = shown_of(session, [keys.get(session, key_id)])
    return KeyDetail(**shown.model_dump(), used=_used(session, uploads, key_id))


def mine(session: Session, uploads: Uploads, caller: Caller, *, key_needed: bool) -> MyKey:
    """Who calls, and what that may do and uses."""
    actor = caller.actor
    return MyKey(
        id=actor.key_id,
        name=actor.name,
        project=projects.names(session, [actor.project_id])[actor.project_id],
        scopes=[scope for scope in Scope if scope in caller.scopes],
        limits=actor.limits,
        expires_at=caller.expires_at,
        used=_used(session, uploads, actor.key_id) if actor.key_id else None,
        key_needed=key_needed,
    )


def _used(session: Session, uploads: Uploads, key_id: UUID) -> KeyUse:
    return KeyUse.model_validate(quotas.used(session, key_id, arriving=uploads.arriving(str(key_id))))
