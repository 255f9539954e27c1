"""A picture that is sent for a network to answer to: as a form with a file, or as the body itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.body import CountedRequest, UploadRoute
from api.deps import ResourcesDep
from api.errors import WrongMediaType
from api.forms import SentFile, described, receive_form, wrong
from api.settings import ApiSettings
from dna_engine.images.pictures.file import HeldFile

_BINARY = {"schema": {"type": "string", "format": "binary"}}


class PictureForm(BaseModel):
    """A picture as a form."""

    model_config = ConfigDict(extra="forbid")

    file: SentFile = Field(description="The picture, in any format that Pillow reads.")


#: What the document says of the body.
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": _BINARY,
            "application/octet-stream": _BINARY,
            "multipart/form-data": described(PictureForm),
        },
    }
}
_LONGEST_NAME = 100


class PictureRequest(CountedRequest):
    """A request whose body is one picture."""

    def limit(self, settings: ApiSettings) -> int:
        return settings.max_picture_bytes


class PictureRoute(UploadRoute):
    """A route that reads its body as a :class:`PictureRequest`."""

    def reading(self, request: Request) -> Request:
        return PictureRequest(request.scope, request.receive)


async def receive(
    request: Request, resources: ResourcesDep, content_type: Annotated[str, Header(include_in_schema=False)] = ""
) -> HeldFile:
    """The picture of a request.

    Raises:
        ApiError: as :func:`api.forms.receive_form`.
        WrongMediaType: the body is neither a form nor called a picture.
        Invalid: nothing was sent.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with receive_form(request, resources.settings, None, PictureForm) as form:
            content = await run_in_threadpool(form.file.read) if form.file else b""
            name = (form.filename or "")[-_LONGEST_NAME:]
    elif kind.startswith("image/") or kind in ("", "application/octet-stream"):
        content, name = await request.body(), ""
    else:
        raise WrongMediaType(
            f"Send the picture as image/jpeg or what it is, as application/octet-stream, or in a form as file, not as {kind[:100]}."
        )
    if not content:
        raise wrong("file", "Send a picture")
    return HeldFile(name or "What was sent", content)


PictureDep = Annotated[HeldFile, Depends(receive)]
