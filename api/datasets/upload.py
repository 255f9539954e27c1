"""The form that a dataset is sent or named by: read only once the caller is known, and without a transaction held meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

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
    """What came: an archive, on this machine's disk by now, or the path of a folder; and the request's idempotency key."""

    archive: IO[bytes] | None
    filename: str | None
    folder: str | None
    name: str | None
    once: Once


async def receive(
    request: Request,
    resources: ResourcesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    idempotency_key: KeyHeader = None,
) -> AsyncIterator[Sent]:
    """The form of the request.

    Raises:
        Unauthorized: or Forbidden, before anything of the body is read.
        PayloadTooLarge: while it is read.
        Invalid: a field is missing or of the wrong kind.
    """
    caller = await run_in_threadpool(_caller, request, resources, credentials)
    async with request.form(max_files=1, max_fields=2) as form:
        file, folder, name = form.get("file"), _text(form, "folder"), _text(form, "name")
        if not isinstance(file, UploadFile | None):
            raise _wrong("file", "Send the archive as a file")
        if (file is None) == (folder is None):
            raise _wrong("file", "Send an archive as a file, or name a folder of the server; one of the two")
        digest = await run_in_threadpool(_digest, file.file) if file and idempotency_key else b""
        said = b"\0".join((digest, (folder or "").encode(), (name or "").encode()))
        yield Sent(
            archive=file.file if file else None,
            filename=file.filename if file else None,
            folder=folder,
            name=name,
            once=make_once(request, caller, resources.settings, idempotency_key, said),
        )


SentDep = Annotated[Sent, Depends(receive)]


def _text(form: FormData, field: str) -> str | None:
    value = form.get(field)
    if isinstance(value, UploadFile):
        raise _wrong(field, f"The {field} is a text, not a file")
    return value


def _caller(request: Request, resources: Resources, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    with transaction(resources.sessions) as session:
        return authenticate(request, session, resources, credentials)


def _digest(file: IO[bytes]) -> bytes:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]


def _wrong(field: str, detail: str) -> Invalid:
    return Invalid(f"{field}: {detail}.", errors=[{"pointer": f"#/{field}", "detail": detail}])
