"""Routes of architectures: list, read, download, try."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.architectures import service
from api.architectures.picture import BODY, PictureDep, PictureRoute
from api.architectures.schemas import ArchitectureOut, ArchitectureSummary, Format, PredictionOut
from api.auth import authenticate
from api.deps import UPLOAD, ResourcesDep, SessionDep
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

#: Of its own, so that a caller is known, and no transaction open, before a picture is read.
tries = APIRouter(
    prefix="/architectures", tags=["architectures"], route_class=PictureRoute, responses=problems(401, 403, 422, 503)
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


@tries.post(
    "/{architecture_id}/predict",
    response_model=PredictionOut,
    responses=problems(400, 404, 409, 413, 415),
    openapi_extra=BODY,
    dependencies=[Depends(authenticate), UPLOAD],
)
async def predict(
    architecture_id: UUID,
    picture: PictureDep,
    resources: ResourcesDep,
    top_k: Annotated[int, Query(ge=1, le=1000, description="How many classes.")] = 5,
) -> PredictionOut:
    """Try a trained network on a picture: its likeliest classes, as its ONNX file answers to what `prepare.py` of its bundle makes of it.

    Computed in the service itself, few at a time: for trying, not for production.
    """
    async with resources.predictions.place():
        return await run_in_threadpool(service.predict, resources, architecture_id, picture, top_k)
