"""The form that a dataset is sent or named by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import IO, Annotated, Any

from fastapi import Depends, Request

from api.deps import ResourcesDep
from api.forms import receive_form, wrong
from api.idempotency import KeyHeader, Once

#: What FastAPI would write into the document for such a form, had it read the form itself.
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "oneOf": [{"required": ["file"]}, {"required": ["folder", "name"]}],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A zip or tar (plain, gzip, bzip2, xz) of class folders, or of `train/` and `test/` "
                            "(or `val/`) with class folders.",
                        },
                        "folder": {
                            "type": "string",
                            "description": "Instead of a file: a folder of the server, arranged in the same way, "
                            "below one that the operator allows, at the same place on every worker.",
                        },
                        "name": {
                            "type": "string",
                            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
                            "description": "What searches call it. Default: the name of the file without its suffix.",
                        },
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True)
class Sent:
    """What came: an archive, on this machine's disk by now, or the path of a folder; the request's idempotency key; and whether
    the client has gone since."""

    archive: IO[bytes] | None
    filename: str | None
    folder: str | None
    name: str | None
    once: Once
    gone: Callable[[], bool]


async def receive(
    request: Request,
    resources: ResourcesDep,
    idempotency_key: KeyHeader = None,
) -> AsyncIterator[Sent]:
    """The form of the request.

    Raises:
        Unauthorized: or Forbidden, before anything of the body is read.
        PayloadTooLarge: while it is read.
        HTTPException: it is not written in UTF-8, or is no form at all.
        Invalid: a field is missing or of the wrong kind.
    """
    async with receive_form(request, resources.settings, idempotency_key, texts=("folder", "name")) as form:
        folder = form.texts["folder"]
        if (form.file is None) == (folder is None):
            raise wrong("file", "Send an archive as a file, or name a folder of the server; one of the two")
        yield Sent(
            archive=form.file,
            filename=form.filename,
            folder=folder,
            name=form.texts["name"],
            once=form.once,
            gone=form.gone,
        )


SentDep = Annotated[Sent, Depends(receive)]
