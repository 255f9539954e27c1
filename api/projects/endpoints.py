"""The route of projects: for admins, what each uses."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.auth import authenticate
from api.deps import SessionDep
from api.keys.endpoints import AdminRoute
from api.openapi import problems
from api.pagination import Page, RowPaging, encode
from api.projects.schemas import ProjectOut
from store import usage

router = APIRouter(
    prefix="/projects",
    tags=["keys"],
    route_class=AdminRoute,
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)


@router.get("", response_model=Page[ProjectOut])
def list_projects(session: SessionDep, paging: RowPaging) -> Page[ProjectOut]:
    """Projects, newest first, each with its keys, jobs, device-hours and bytes."""
    found = usage.listing(session, after=paging.after, limit=paging.limit)
    items = [ProjectOut.model_validate(each) for each in found.items]
    return Page(items=items, next=encode(str(found.next)) if found.next else None)
