"""The form that a dataset is sent by: read only once the caller is known, and without a transaction held meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.auth import Caller, authenticate, bearer
from api.deps import ResourcesDep
from api.errors import Invalid
from api.idempotency import KeyHeader, Once, make_once
from api.resources import Resources
from store.session import transaction

#: What FastAPI would write into the document for such a form, had it read the form itself.
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A zip or tar (plain, gzip, bzip2, xz) of class folders, or of `train/` and `test/` "
                            "(or `val/`) with class folders.",
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
class Upload:
    """An archive as it came, on this machine's disk, and the request's idempotency key."""

    archive: IO[bytes]
    filename: str | None
    name: str | None
    once: Once


async def receive(
    request: Request,
    resources: ResourcesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    idempotency_key: KeyHeader = None,
) -> AsyncIterator[Upload]:
    """The form of the request.

    Raises:
        Unauthorized: or Forbidden, before anything of the body is read.
        PayloadTooLarge: while it is read.
        Invalid: a field is missing or of the wrong kind.
    """
    caller = await run_in_threadpool(_caller, request, resources, credentials)
    async with request.form(max_files=1, max_fields=1) as form:
        file, name = form.get("file"), form.get("name")
        if not isinstance(file, UploadFile):
            raise _wrong("file", "Send the archive as a file")
        if isinstance(name, UploadFile):
            raise _wrong("name", "The name is a text, not a file")
        digest = await run_in_threadpool(_digest, file.file) if idempotency_key else b""
        once = make_once(request, caller, resources.settings, idempotency_key, digest + (name or "").encode())
        yield Upload(file.file, file.filename, name, once)


UploadDep = Annotated[Upload, Depends(receive)]


def _caller(request: Request, resources: Resources, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    with transaction(resources.sessions) as session:
        return authenticate(request, session, resources, credentials)


def _digest(file: IO[bytes]) -> bytes:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]


def _wrong(field: str, detail: str) -> Invalid:
    return Invalid(f"{field}: {detail}.", errors=[{"pointer": f"#/{field}", "detail": detail}])
