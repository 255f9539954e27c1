"""Routes of keys: for admins create, list, read, change, revoke; for everybody who they are."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from api.auth import CallerDep, authenticate, needs_key
from api.body import JsonRoute
from api.deps import ResourcesDep, SessionDep
from api.filters import Part
from api.keys import examples, service
from api.keys.schemas import KeyDetail, KeyIn, KeyOut, KeyPatch, KeyWithSecret, MyKey
from api.openapi import problems
from api.pagination import Page, RowPaging, encode
from api.patches import MEDIA_TYPE, MERGE_PATCH
from api.resources import Resources
from api.uploads.endpoints import UploadsDep
from store import keys
from store.limits import Scope
from store.session import transaction

KeyId = Annotated[UUID, Path(description="Of the key.")]


class AdminRoute(JsonRoute):
    """A route that none but admins may call."""

    needs = Scope.ADMIN


class AnyKeysRoute(JsonRoute):
    """A route that every key may call, whatever its scopes."""

    needs = None


#: Before the others, whose paths it would be one of.
me = APIRouter(
    prefix="/keys",
    tags=["keys"],
    route_class=AnyKeysRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 503),
)

router = APIRouter(
    prefix="/keys",
    tags=["keys"],
    route_class=AdminRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)


@me.get("/me", response_model=MyKey)
def get_my_key(caller: CallerDep, session: SessionDep, resources: ResourcesDep, uploads: UploadsDep) -> MyKey:
    """Who calls: the key, its project, what it may do and use, and what it uses just now."""
    return service.mine(session, uploads, caller, key_needed=needs_key(resources.settings))


@router.post("", status_code=201, response_model=KeyWithSecret, responses=problems(400, 409, 413))
def create_key(
    sent: Annotated[KeyIn, Body(openapi_examples=examples.KEYS)],
    session: SessionDep,
    resources: ResourcesDep,
    response: Response,
) -> KeyWithSecret:
    """Make a key. It is shown in this answer alone, and takes no `Idempotency-Key`, whose answers are kept."""
    made = service.create(session, resources.settings, sent)
    response.headers["Location"] = f"/keys/{made.id}"
    return made


@router.get("", response_model=Page[KeyOut])
def list_keys(
    session: SessionDep,
    paging: RowPaging,
    project: Annotated[str | None, Query(max_length=200, description="Only keys of the project of that name.")] = None,
    q: Part = None,
) -> Page[KeyOut]:
    """Keys of all projects, newest first, those that were revoked or have expired too."""
    found = keys.listing(session, project=project, part=q, after=paging.after, limit=paging.limit)
    items = service.shown_of(session, found.items)
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


@router.get("/{key_id}", response_model=KeyDetail, responses=problems(404))
def get_key(key_id: KeyId, session: SessionDep, uploads: UploadsDep) -> KeyDetail:
    """A key, and what it uses just now."""
    return service.detail(session, uploads, key_id)


@router.patch(
    "/{key_id}",
    response_model=KeyOut,
    responses=problems(400, 404, 409, 413, 415),
    dependencies=[MERGE_PATCH],
)
def update_key(
    key_id: KeyId,
    patch: Annotated[KeyPatch, Body(media_type=MEDIA_TYPE, openapi_examples=examples.CHANGES)],
    caller: CallerDep,
    resources: ResourcesDep,
    background: BackgroundTasks,
) -> KeyOut:
    """Change a key, by a JSON merge patch (RFC 7396). It holds at once, in other processes of the service after `DNA_ACCEPTED_KEY_SECONDS`.
    Of the last valid key with the scope `admin` that stays.
    """
    with transaction(resources.sessions, caller.actor) as session, _managed(session, resources):
        changed = service.change(session, resources.settings, key_id, patch)
    resources.accepted.forget(key_id)
    background.add_task(resources.queue.send_pending)  # Of jobs that may run now.
    return changed


@router.delete("/{key_id}", status_code=204, responses=problems(404, 409))
def revoke_key(key_id: KeyId, caller: CallerDep, resources: ResourcesDep) -> None:
    """Revoke a key: it opens nothing from now on, in other processes of the service after `DNA_ACCEPTED_KEY_SECONDS`. It stays in the list,
    and what was made with it stays. Not the last valid one with the scope `admin`.
    """
    with transaction(resources.sessions, caller.actor) as session, _managed(session, resources):
        keys.revoke(session, key_id)
    resources.accepted.forget(key_id)


def _managed(session: Session, resources: Resources) -> AbstractContextManager[None]:
    """Where keys are needed to manage keys, somebody must have one afterwards."""
    return keys.keeping_an_admin(session) if needs_key(resources.settings) else nullcontext()
