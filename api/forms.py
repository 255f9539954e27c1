"""Forms with a file, as models describe them: read only once the caller is known, and without a transaction held meanwhile."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Annotated, Any

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api.auth import admit
from api.errors import Invalid, WrongMediaType
from api.idempotency import Once, make_once
from api.names import ADVISED, SHOWN, sentence, unknown
from api.pointers import pointer
from api.query import parameters
from api.settings import ApiSettings

#: A file among the fields of a form.
SentFile = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]

#: Media types of forms; one with a file can only be of the first.
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
#: Fields that are read beyond those that a form has, to say which of them there is not.
_BEYOND = 20

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


def _texts(form: type[BaseModel]) -> tuple[str, ...]:
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
    request: Request, settings: ApiSettings, idempotency_key: str | None, model: type[BaseModel]
) -> AsyncIterator[Form]:
    """The form of a request, whose fields are those of the model: ``file``, and texts.

    Raises:
        Unauthorized: or Forbidden, before anything of the body is read.
        PayloadTooLarge: while it is read.
        WrongMediaType: something else is sent.
        HTTPException: it is not written in UTF-8, or cannot be read.
        Invalid: there is no such field, or it is given twice or of the wrong kind.
    """
    caller = await admit(request)
    _check_kind(request, model)
    async with request.form(max_files=1, max_fields=len(model.model_fields) + _BEYOND) as form:
        _check_names(request, form, model)
        file, said = form.get("file"), {name: _text(form, name) for name in _texts(model)}
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


def _check_kind(request: Request, model: type[BaseModel]) -> None:
    """Whether it is called a form, in a charset of texts: Python knows codecs that are none, and some fail in ways that nobody expects."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if (sent := kind.decode("latin-1")) and sent not in _FORMS:
        raise WrongMediaType(
            f"Send a form, Content-Type: multipart/form-data, not {sent[:SHOWN]}; curl does so by -F file=@FILE. "
            f"Its fields are {', '.join(sorted(model.model_fields))}."
        )
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise HTTPException(400, "Send the form in UTF-8, and name no other charset.")


def _check_names(request: Request, form: FormData, model: type[BaseModel]) -> None:
    given = Counter(name for name, _ in form.multi_items())
    strange = [name for name in given if name not in model.model_fields]
    errors = [(name[:SHOWN], _no_such(name, request, model)) for name in strange[:ADVISED]]
    errors += [
        (name, f"Given {times} times; give it once")
        for name, times in given.items()
        if times > 1 and name in model.model_fields
    ]
    if errors:
        raise Invalid(
            sentence(*errors[0]), errors=[{"pointer": pointer([name]), "detail": detail} for name, detail in errors]
        )


def _no_such(name: str, request: Request, model: type[BaseModel]) -> str:
    """The refusal of a field; some send as one what goes in the query."""
    route = request.scope.get("route")
    queried = parameters(route) if isinstance(route, APIRoute) else {}
    if near := difflib.get_close_matches(name[:SHOWN], queried, n=1):
        return f"There is no such field. Did you mean ?{near[0]}= in the URL?"
    return unknown(name, model.model_fields, "field")


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
