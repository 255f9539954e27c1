"""Routes of architectures: list, read, download."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api.architectures import service
from api.architectures.schemas import ArchitectureOut, ArchitectureSummary, Format
from api.auth import authenticate
from api.deps import ResourcesDep, SessionDep
from api.download import respond, responses
from api.openapi import problems
from api.pagination import Page, Ref, RowPaging, encode
from store import architectures

router = APIRouter(
    prefix="/architectures",
    tags=["architectures"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

_DOWNLOAD = responses("application/json", "application/octet-stream", "application/zip")


@router.get("", response_model=Page[ArchitectureSummary])
def list_architectures(
    session: SessionDep,
    paging: RowPaging,
    search: Annotated[UUID | None, Query(description="Only networks of this search.")] = None,
    ref: Ref = None,
) -> Page[ArchitectureSummary]:
    """Networks that searches found or that were selected afterwards, newest first."""
    found = architectures.listing(session, search_id=search, ref=ref, after=paging.after, limit=paging.limit)
    items = [ArchitectureSummary.model_validate(network) for network in found.items]
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


@router.get("/{architecture_id}", response_model=ArchitectureOut, responses=problems(404))
def get_architecture(architecture_id: UUID, session: SessionDep) -> ArchitectureOut:
    """A network: its description, costs, accuracy, and the files there are."""
    return service.detail(session, architecture_id)


@router.get("/{architecture_id}/download", response_class=Response, responses={**_DOWNLOAD, **problems(404, 409, 416)})
def download_architecture(
    architecture_id: UUID,
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
    format: Format = Format.JSON,  # noqa: A002
) -> Response:
    """Download a network as `json` (its description), `safetensors` (weights), `onnx`, or `bundle` (a zip of all)."""
    return respond(request, service.content(session, resources.blobs, architecture_id, format))
