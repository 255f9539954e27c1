"""Routes of architectures: read, download."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.architectures import service
from api.architectures.schemas import ArchitectureOut, Format
from api.auth import authenticate
from api.deps import ResourcesDep, SessionDep
from api.download import respond, responses
from api.openapi import problems

router = APIRouter(
    prefix="/architectures",
    tags=["architectures"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 404, 422),
)

_DOWNLOAD = responses("application/json", "application/octet-stream", "application/zip")


@router.get("/{architecture_id}", response_model=ArchitectureOut)
def get_architecture(architecture_id: UUID, session: SessionDep) -> ArchitectureOut:
    """A network: its description, costs, accuracy, and the files there are."""
    return service.detail(session, architecture_id)


@router.get("/{architecture_id}/download", response_class=Response, responses={**_DOWNLOAD, **problems(409, 416)})
def download_architecture(
    architecture_id: UUID,
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
    format: Format = Format.JSON,  # noqa: A002
) -> Response:
    """Download a network as `json` (its description), `safetensors` (weights), `onnx`, or `bundle` (a zip of all)."""
    return respond(request, service.content(session, resources.blobs, architecture_id, format))
