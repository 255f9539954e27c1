"""The form that a dataset is sent or named by: read only once the caller is known, and without a transaction held meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Annotated, Any

from fastapi import Depends, HTTPException, Request
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api.auth import admit
from api.deps import ResourcesDep
from api.errors import Invalid
from api.idempotency import KeyHeader, Once, make_once

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
    caller = await admit(request)
    _check_charset(request)
    async with request.form(max_files=1, max_fields=2) as form:
        file, folder, name = form.get("file"), _text(form, "folder"), _text(form, "name")
        if not isinstance(file, UploadFile | None):
            raise _wrong("file", "Send the archive as a file")
        if (file is None) == (folder is None):
            raise _wrong("file", "Send an archive as a file, or name a folder of the server; one of the two")
        digest = await run_in_threadpool(_digest, file.file) if file and idempotency_key else b""
        said = b"\0".join((digest, (folder or "").encode(), (name or "").encode()))
        async with _watched(request) as gone:
            yield Sent(
                archive=file.file if file else None,
                filename=file.filename if file else None,
                folder=folder,
                name=name,
                once=make_once(request, caller, resources.settings, idempotency_key, said),
                gone=gone,
            )


SentDep = Annotated[Sent, Depends(receive)]


@asynccontextmanager
async def _watched(request: Request) -> AsyncIterator[Callable[[], bool]]:
    """Whether the client of a request whose body was read has gone: for the thread that works on it."""
    gone = threading.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watching = asyncio.create_task(watch())
    try:
        yield gone.is_set
    finally:
        watching.cancel()


def _check_charset(request: Request) -> None:
    """Python knows codecs that are none of text, and some fail in ways that nobody expects."""
    _, options = parse_options_header(request.headers.get("content-type"))
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise HTTPException(400, "Send the form in UTF-8, and name no other charset.")


def _text(form: FormData, field: str) -> str | None:
    value = form.get(field)
    if isinstance(value, UploadFile):
        raise _wrong(field, f"The {field} is a text, not a file")
    return value


def _digest(file: IO[bytes]) -> bytes:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]


def _wrong(field: str, detail: str) -> Invalid:
    return Invalid(f"{field}: {detail}.", errors=[{"pointer": f"#/{field}", "detail": detail}])
