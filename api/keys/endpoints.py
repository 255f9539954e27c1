"""Routes of keys: for admins create, list, read, change the limits, revoke; for everybody who they are."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Path, Response

from api.auth import CallerDep, authenticate
from api.body import JsonRoute
from api.deps import ResourcesDep, SessionDep
from api.keys import examples, service
from api.keys.schemas import KeyChange, KeyDetail, KeyIn, KeyOut, KeyWithSecret, MyKey
from api.openapi import problems
from api.pagination import Page, RowPaging, encode
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
def get_my_key(caller: CallerDep, session: SessionDep, uploads: UploadsDep) -> MyKey:
    """Who calls: the key, its project, what it may do and use, and what it uses just now."""
    return service.mine(session, uploads, caller)


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
def list_keys(session: SessionDep, paging: RowPaging) -> Page[KeyOut]:
    """Keys of all projects, newest first, those that were revoked or have expired too."""
    found = keys.listing(session, after=paging.after, limit=paging.limit)
    items = service.shown_of(session, found.items)
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


@router.get("/{key_id}", response_model=KeyDetail, responses=problems(404))
def get_key(key_id: KeyId, session: SessionDep, uploads: UploadsDep) -> KeyDetail:
    """A key, and what it uses just now."""
    return service.detail(session, uploads, key_id)


@router.patch("/{key_id}", response_model=KeyOut, responses=problems(400, 404, 413))
def update_key(
    key_id: KeyId,
    change: Annotated[KeyChange, Body(openapi_examples=examples.CHANGES)],
    caller: CallerDep,
    resources: ResourcesDep,
    background: BackgroundTasks,
) -> KeyOut:
    """Change what a key may use. It holds at once, in other processes of the service after `DNA_ACCEPTED_KEY_SECONDS`."""
    with transaction(resources.sessions, caller.actor) as session:
        changed = service.change(session, key_id, change)
    resources.accepted.forget(key_id)
    background.add_task(resources.queue.send_pending)  # Of jobs that may run now.
    return changed


@router.delete("/{key_id}", status_code=204, responses=problems(404))
def revoke_key(key_id: KeyId, caller: CallerDep, resources: ResourcesDep) -> None:
    """Revoke a key: it opens nothing from now on, in other processes of the service after `DNA_ACCEPTED_KEY_SECONDS`. It stays in the list,
    and what was made with it stays.
    """
    with transaction(resources.sessions, caller.actor) as session:
        keys.revoke(session, key_id)
    resources.accepted.forget(key_id)
