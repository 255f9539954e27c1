"""Forms with a file, as models describe them: read only once the caller is known, and without a transaction held meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Annotated, Any

from fastapi import HTTPException, Request
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api.auth import admit
from api.errors import Invalid
from api.idempotency import Once, make_once
from api.settings import ApiSettings

#: A file among the fields of a form.
SentFile = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]

#: What somebody calls what is sent.
SentName = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class _Fields(GenerateJsonSchema):
    """A field of a form that has no value is left out: there is no null."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def described(form: type[BaseModel]) -> dict[str, Any]:
    """What FastAPI would write into the document for a form with these fields, had it read the form itself."""
    schema = form.model_json_schema(schema_generator=_Fields)
    del schema["title"]  # Clients call it by the route.
    return {"schema": schema}


def body(form: type[BaseModel]) -> dict[str, Any]:
    """The same of a route that takes nothing else, for its ``openapi_extra``."""
    return {"requestBody": {"required": True, "content": {"multipart/form-data": described(form)}}}


def texts(form: type[BaseModel]) -> tuple[str, ...]:
    """The fields beside the file."""
    return tuple(name for name in form.model_fields if name != "file")


@dataclass(frozen=True)
class Form:
    """What came: a file, on this machine's disk by now, if there is one; texts by the names of their fields; the request's idempotency
    key."""

    file: IO[bytes] | None
    filename: str | None
    texts: Mapping[str, str | None]
    once: Once


@asynccontextmanager
async def receive_form(
    request: Request, settings: ApiSettings, idempotency_key: str | None, *, texts: Sequence[str]
) -> AsyncIterator[Form]:
    """The form of a request, whose fields are ``file`` and those texts.

    Raises:
        Unauthorized: or Forbidden, before anything of the body is read.
        PayloadTooLarge: while it is read.
        HTTPException: it is not written in UTF-8, or is no form at all.
        Invalid: a field is of the wrong kind.
    """
    caller = await admit(request)
    _check_charset(request)
    async with request.form(max_files=1, max_fields=len(texts)) as form:
        file, said = form.get("file"), {name: _text(form, name) for name in texts}
        if not isinstance(file, UploadFile | None):
            raise wrong("file", "Send it as a file, not as a text")
        digest = await run_in_threadpool(_digest, file.file) if file and idempotency_key else b""
        # The name of the file too: where none is said, it names what is made.
        written = (file.filename if file else None, *said.values())
        whole = b"\0".join((digest, *((text or "").encode() for text in written)))
        yield Form(
            file=file.file if file else None,
            filename=file.filename if file else None,
            texts=said,
            once=make_once(request, caller, settings, idempotency_key, whole),
        )


def _check_charset(request: Request) -> None:
    """Python knows codecs that are none of text, and some fail in ways that nobody expects."""
    _, options = parse_options_header(request.headers.get("content-type"))
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise HTTPException(400, "Send the form in UTF-8, and name no other charset.")


def _text(form: FormData, field: str) -> str | None:
    value = form.get(field)
    if isinstance(value, UploadFile):
        raise wrong(field, f"The {field} is a text, not a file")
    return value


def _digest(file: IO[bytes]) -> bytes:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]


def wrong(field: str, detail: str) -> Invalid:
    """The refusal of a field of a form."""
    return Invalid(f"{field}: {detail}.", errors=[{"pointer": f"#/{field}", "detail": detail}])
