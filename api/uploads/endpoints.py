"""Routes of uploads: the protocol tus 1.0 (core, creation, termination, expiration), which clients of many languages speak."""

from __future__ import annotations

import base64
import binascii
from functools import partial
from io import FileIO
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth import CallerDep, authenticate
from api.body import UploadRoute
from api.deps import UPLOAD, ResourcesDep, SessionDep
from api.errors import ApiError, Invalid, Malformed, PayloadTooLarge, WrongMediaType
from api.headers import headers
from api.idempotency import KeyHeader, make_once
from api.ids import UploadId
from api.openapi import problems
from api.resources import Resources
from api.uploads.files import Begun, Incoming, Uploads
from dna_engine.disk import room_on
from store import quotas

VERSION = "1.0.0"
_PIECE = "application/offset+octet-stream"
#: Bytes that are held before they are written.
_HELD = 1 << 20
_LONGEST_NAME = 255
#: What an answer documents that says how far a file is.
_WHERE = headers("Tus-Resumable", "Upload-Offset", "Upload-Length")

router = APIRouter(
    prefix="/uploads",
    tags=["datasets"],
    route_class=UploadRoute,
    responses=problems(401, 403, 404, 412, 422, 503),
)


class WrongVersion(ApiError):
    status = 412
    kind = "wrong_version"


def _speaks_tus(
    tus_resumable: Annotated[str | None, Header(description=f"`{VERSION}`: the version of tus that is spoken.")] = None,
) -> None:
    if tus_resumable != VERSION:
        raise WrongVersion(f"Send Tus-Resumable: {VERSION}.", headers={"Tus-Version": VERSION})


def _uploads(resources: ResourcesDep) -> Uploads:
    return Uploads(resources.settings.datasets_dir)


UploadsDep = Annotated[Uploads, Depends(_uploads)]
_TUS = [Depends(authenticate), Depends(_speaks_tus)]


@router.options(
    "",
    status_code=204,
    responses={204: headers("Allow", "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size")},
    dependencies=[Depends(authenticate)],
)
def describe_uploads(resources: ResourcesDep) -> Response:
    """What of tus is spoken, and how large a file may be."""
    headers = {"Tus-Version": VERSION, "Tus-Extension": "creation,termination,expiration"}
    return Response(None, 204, _said(headers | {"Tus-Max-Size": str(resources.settings.max_upload_bytes)}))


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses={201: headers("Tus-Resumable"), **problems(413, 507)},
    dependencies=_TUS,
)
def begin_upload(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    resources: ResourcesDep,
    uploads: UploadsDep,
    upload_length: Annotated[int, Header(ge=1, lt=2**63, description="Bytes of the file.")],
    upload_metadata: Annotated[str, Header(max_length=1000, description="`filename` and its base64.")] = "",
    idempotency_key: KeyHeader = None,
) -> Response:
    """Begin to send a file that is too large for one request. `Location` is where its pieces go; `POST /datasets` takes its id.

    A file that nobody goes on with is removed after `DNA_ORPHAN_HOURS`.
    """
    settings = resources.settings
    if upload_length > settings.max_upload_bytes:
        raise PayloadTooLarge(f"The file is larger than {settings.max_upload_bytes:,} bytes.")
    begun = Begun(
        owner=caller.owner,
        project_id=caller.actor.project_id,
        length=upload_length,
        filename=_filename(upload_metadata),
    )

    def work() -> Response:
        uploads.remove_old(seconds=settings.orphan_hours * 3600)
        quotas.keep(session, upload_length, arriving=partial(uploads.arriving, caller.owner))
        with room_on("the datasets (DNA_DATASETS)", settings.datasets_dir, needed=upload_length):
            made = uploads.begin(begun)
        return Response(None, 201, {"Location": f"/uploads/{made.id}", "Tus-Resumable": VERSION})

    body = f"{upload_length} {upload_metadata}".encode()
    return make_once(request, caller, settings, idempotency_key, body).answer(session, work)


@router.head("/{upload_id}", response_class=Response, responses={200: _WHERE}, dependencies=_TUS)
def get_upload(upload_id: UploadId, caller: CallerDep, uploads: UploadsDep) -> Response:
    """How much of a file has arrived, as `Upload-Offset`: where to go on."""
    return Response(None, 200, _where(uploads.find(upload_id, caller.actor)) | {"Cache-Control": "no-store"})


@router.patch(
    "/{upload_id}",
    status_code=204,
    responses={204: _WHERE, **problems(400, 409, 413, 415, 423, 507)},
    dependencies=[*_TUS, UPLOAD],
    openapi_extra={
        "requestBody": {"required": True, "content": {_PIECE: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def send_piece(
    upload_id: UploadId,
    request: Request,
    caller: CallerDep,
    uploads: UploadsDep,
    resources: ResourcesDep,
    upload_offset: Annotated[int, Header(ge=0, lt=2**63, description="Bytes that have arrived before.")],
    content_type: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Send what follows. What has arrived of a piece stays, also when the connection breaks."""
    if content_type != _PIECE:
        raise WrongMediaType(f"Send pieces as Content-Type: {_PIECE}.")
    incoming = await run_in_threadpool(uploads.find, upload_id, caller.actor)
    with uploads.open_at(incoming, upload_offset) as file:
        await _receive(request, resources, file, most=incoming.begun.length - upload_offset)
    return Response(None, 204, _where(incoming))


@router.delete("/{upload_id}", status_code=204, responses={204: headers("Tus-Resumable")}, dependencies=_TUS)
def delete_upload(upload_id: UploadId, caller: CallerDep, uploads: UploadsDep) -> Response:
    """Give a file up: what has arrived of it is deleted."""
    uploads.remove(uploads.find(upload_id, caller.actor).id)
    return Response(None, 204, _said({}))


async def _receive(request: Request, resources: Resources, file: FileIO, *, most: int) -> None:
    """Writes what comes, some at a time, in a thread: what is held at once does not grow with what is sent."""
    held = bytearray()

    def write() -> None:
        with room_on("the datasets (DNA_DATASETS)", resources.settings.datasets_dir):
            while held:  # What a full disk has taken of it is not written again.
                del held[: file.write(held)]

    try:
        async for chunk in request.stream():
            most -= len(chunk)
            if most < 0:
                raise Malformed("More was sent than the length that the upload was begun with.")
            held += chunk
            if len(held) >= _HELD:
                await run_in_threadpool(write)
    finally:  # What has arrived counts, also of a client that has gone.
        await run_in_threadpool(write)


def _where(incoming: Incoming) -> dict[str, str]:
    return _said({"Upload-Offset": str(incoming.offset), "Upload-Length": str(incoming.begun.length)})


def _said(headers: dict[str, str]) -> dict[str, str]:
    return {"Tus-Resumable": VERSION, **headers}


def _filename(metadata: str) -> str | None:
    """Of ``Upload-Metadata``, which is pairs of a name and base64."""
    for pair in metadata.split(","):
        name, _, value = pair.strip().partition(" ")
        if name == "filename":
            try:
                return base64.b64decode(value, validate=True).decode()[:_LONGEST_NAME] or None
            except (binascii.Error, UnicodeDecodeError) as error:
                message = "Upload-Metadata: filename is not base64 of UTF-8"
                raise Invalid(f"{message}.", errors=[{"parameter": "Upload-Metadata", "detail": message}]) from error
    return None
