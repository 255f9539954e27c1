"""Every error of the API, and the one handler that writes them as ``application/problem+json`` (RFC 9457).

ApiError                    base: an HTTP status, a stable ``type`` and a message that says what to do
├── ClientGone              400  nobody waits for the answer any more
├── Malformed               400  the body is not JSON
├── Unauthorized            401  no key, or one that is not valid
├── Forbidden               403  a browser's request from another site
├── NotFound                404  no such thing, or not yours: the same answer
├── TooSlow                 408  a body that does not arrive
├── Conflict                409  the state does not allow it
├── PayloadTooLarge         413  a body above the limit
├── WrongMediaType          415  a body of another media type than is taken
├── Invalid                 422  fields that are wrong; ``errors`` points at each
├── TooManyRequests         429  more of one caller than are taken in a minute
└── Unavailable             503  a server behind this one does not answer

ConfigurationError          not an answer: the service cannot start as it is set up

The errors of ``store`` and ``dna_engine`` reach the handler as they are and are looked up in tables below.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from api.edge.identity import current_id
from api.pointers import field_errors, pointer
from dna_engine.disk import is_full
from dna_engine.errors import (
    DataError,
    DiskFull,
    EngineError,
    InfeasibleBudget,
    Interrupted,
    InvalidSpec,
    TeacherError,
    UnknownName,
)
from store.errors import (
    IdempotencyMismatch,
    IllegalTransition,
    LastAdmin,
    NameTaken,
    PriorityTooHigh,
    QueueFull,
    QuotaSpent,
    RequestInFlight,
    StoreError,
    UnstorableValue,
)
from store.errors import (
    NotFound as NoSuchRow,
)

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:dna:error:{}"
_KNOWN_SHOWN = 100
_ERRORS_SHOWN = 100
_NOTHING_HERE = "There is nothing at this address."
#: What starlette leaves to a bare phrase.
_SAID = {404: _NOTHING_HERE, 405: "This address does not take the method. The header Allow says which it takes."}

#: When to come back while a server behind this one does not answer.
_RETRY = {"Retry-After": "5"}

#: What a database that is away, frozen or too busy leads to: no answer, a transaction that it has ended, no connection left.
AWAY = (OperationalError, InternalError, InterfaceError, PoolTimeout)

logger = logging.getLogger("dna.api")


class FieldError(BaseModel):
    """What is wrong with one field: of the body by ``pointer``, of the query or a header by ``parameter``."""

    pointer: str | None = Field(default=None, description="JSON pointer into the body, as a URI fragment.")
    parameter: str | None = Field(default=None, description="Name of a query parameter or header.")
    detail: str = Field(description="What is wrong with it, and what would be right.")


class Problem(BaseModel):
    """An error as RFC 9457 writes it. Further members, such as ``feasible``, belong to the ``type``."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable name of the kind of error.", examples=["urn:dna:error:not_found"])
    title: str = Field(description="The phrase of the status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened and what to do.")
    request_id: str | None = Field(default=None, description="As in `X-Request-ID`: the service's log names it too.")
    errors: list[FieldError] | None = Field(
        default=None, description="What is wrong with which field, where fields are."
    )
    known: list[str] | None = Field(default=None, description="Of `unknown_name`: names that there are.")
    feasible: dict[str, tuple[int, int]] | None = Field(
        default=None, description="Of `infeasible_budget`: per cost, the smallest and the largest value of any network."
    )
    binding: list[str] | None = Field(default=None, description="Of `infeasible_budget`: the limits that bind.")
    nearest: list[dict[str, int]] | None = Field(
        default=None, description="Of `infeasible_budget`: budgets nearby that have a network."
    )
    checks: dict[str, bool | int | list[str]] | None = Field(
        default=None, description="Of `GET /readyz`: what it has looked at, as it answers with 200."
    )


class ApiError(HTTPException):
    """Base; subclasses give ``status`` and ``kind``, which is the last part of the problem's ``type``."""

    status = 500
    kind = "internal"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(self.status, detail, headers)
        self.errors = list(errors)
        self.members = dict(members or {})


class ClientGone(ApiError):
    """Read by nobody but the log and the figures."""

    status = 400
    kind = "client_gone"

    def __init__(self) -> None:
        super().__init__("The client has gone; the request was given up, and nothing of it is kept.")


class Malformed(ApiError):
    status = 400
    kind = "malformed_json"


class Unauthorized(ApiError):
    status = 401
    kind = "unauthorized"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="dna"'})


class Forbidden(ApiError):
    status = 403
    kind = "forbidden"


class NotFound(ApiError):
    status = 404
    kind = "not_found"


class TooSlow(ApiError):
    """What is left of the body may still come: the connection is of no use any more."""

    status = 408
    kind = "request_timeout"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Connection": "close"})


class Conflict(ApiError):
    status = 409
    kind = "conflict"


class PayloadTooLarge(ApiError):
    status = 413
    kind = "payload_too_large"


class WrongMediaType(ApiError):
    status = 415
    kind = "unsupported_media_type"


class Invalid(ApiError):
    status = 422
    kind = "invalid_request"


class TooManyRequests(ApiError):
    status = 429
    kind = "too_many_requests"

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(seconds)})


class Unavailable(ApiError):
    status = 503
    kind = "unavailable"

    def __init__(self, detail: str, *, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail, headers=_RETRY, members=members)


class ConfigurationError(Exception):
    """The service cannot start like this; the message says what to set or run."""


#: The store's errors that a client can cause: status and kind. Any other is a fault of the service.
_STORE: Mapping[type[StoreError], tuple[int, str]] = {
    NoSuchRow: (404, "not_found"),
    NameTaken: (409, "name_taken"),
    IllegalTransition: (409, "illegal_transition"),
    LastAdmin: (409, "last_admin"),
    RequestInFlight: (409, "request_in_flight"),
    IdempotencyMismatch: (422, "idempotency_mismatch"),
    UnstorableValue: (422, "unstorable_value"),
    QuotaSpent: (403, "quota"),
    PriorityTooHigh: (403, "quota"),
}

#: Of those the fields of a body that they are about, wherever there are some.
_FIELDS: Mapping[type[StoreError], Sequence[str]] = {PriorityTooHigh: ["#/priority"]}

#: A job takes seconds at least: asking sooner whether one has left the queue is no use.
_QUEUE_SECONDS = 10


class ProblemResponse(JSONResponse):
    """A problem, of which the line in the log says the ``type``."""

    media_type = MEDIA_TYPE

    def __init__(self, body: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(body, status, headers)
        self._type = body["type"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["problem"] = self._type
        await super().__call__(scope, receive, send)


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response for an error."""
    body: dict[str, Any] = {"type": _TYPE.format(kind), "title": HTTPStatus(status).phrase, "status": status}
    body |= {"detail": detail, "request_id": current_id()}
    if errors:
        body["errors"] = list(errors)
    return ProblemResponse(body | dict(members or {}), status, dict(headers or {}))


def _no_files(error: DiskFull | OSError) -> Response:
    """A disk is full, or does not answer. An error of the system names paths, which are not for the client."""
    if isinstance(error, OSError) and not is_full(error):
        logger.error("A disk or the store of the files does not answer", exc_info=error)
        return to_response(Unavailable("The service cannot reach its files. Try again."))
    logger.error("A disk is full", exc_info=error)
    said = error.message if isinstance(error, DiskFull) else "A disk of the service is full. Its log says which."
    return problem(507, DiskFull.code, said)


def _no_database(error: OperationalError | InterfaceError | PoolTimeout | InternalError) -> Response:
    if isinstance(getattr(error, "orig", None), psycopg.errors.DiskFull):
        logger.error("The disk of the database is full: %s", error)
        return to_response(Unavailable("The database has no room on its disk. Try again when somebody has made some."))
    logger.error("The database does not answer: %s", error)
    return to_response(Unavailable("The database does not answer. Try again."))


def to_response(error: Exception) -> Response:
    """Any error as a problem; what the service did not expect says nothing about its inside."""
    match error:
        case ApiError():
            return problem(
                error.status,
                error.kind,
                error.detail,
                errors=error.errors,
                members=error.members,
                headers=error.headers,
            )
        case ClientDisconnect() | Interrupted():
            return to_response(ClientGone())
        case RequestValidationError():
            return _invalid_request(error)
        case HTTPException():
            status, kind = error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
            return problem(status, kind, _SAID.get(status, error.detail), headers=error.headers)
        case QueueFull():
            return to_response(TooManyRequests(error.message, _QUEUE_SECONDS))
        case StoreError() if type(error) in _STORE:
            status, kind = _STORE[type(error)]
            errors = [{"pointer": at, "detail": error.message} for at in _FIELDS.get(type(error), ())]
            return problem(status, kind, error.message, errors=errors)
        case InvalidSpec() | TeacherError() | InfeasibleBudget() | DataError():
            return _invalid_spec(error)
        case DiskFull() | OSError():
            return _no_files(error)
        case OperationalError() | InterfaceError() | PoolTimeout() | InternalError(connection_invalidated=True):
            return _no_database(error)
    logger.error("Unexpected error", exc_info=error)
    return problem(500, "internal", "The service failed on this request. Its log says why.")


def _invalid_request(error: RequestValidationError) -> Response:
    """A path that cannot name anything is a 404, the same as for an id that names nothing."""
    details = list(error.errors())
    if path := next((detail for detail in details if detail["loc"][0] == "path"), None):
        said = f"{field_errors([path], None)[0]['detail']}." if path["type"] == "uuid_parsing" else _NOTHING_HERE
        return problem(404, "not_found", said)
    return to_response(invalid_fields(details, error.body))


def invalid_fields(details: Sequence[Mapping[str, Any]], body: Any) -> Invalid:
    """Pydantic's errors, of which there are some, as the error of a request."""
    errors, left = field_errors(details[:_ERRORS_SHOWN], body), max(0, len(details) - _ERRORS_SHOWN)
    first = errors[0]
    where = first.get("pointer", "").lstrip("#/").replace("/", ".") or first.get("parameter", "") or "the body"
    unsaid = f", {left:,} not shown" if left else ""
    more = f" ({len(errors) - 1} more in errors{unsaid}.)" if len(errors) > 1 else ""
    end = "" if first["detail"].endswith("?") else "."
    return Invalid(f"{where}: {first['detail']}{end}{more}", errors=errors)


def _invalid_spec(error: EngineError) -> Response:
    """A spec whose fields are well formed but name nothing, do not fit together, or fit no network."""
    members: dict[str, Any] = {}
    if isinstance(error, UnknownName):
        members["known"] = error.known[:_KNOWN_SHOWN]
    if isinstance(error, InfeasibleBudget):
        members |= {name: error.to_dict()[name] for name in ("feasible", "binding", "nearest")}
    errors = [{"pointer": pointer(error.param.split(".") if error.param else []), "detail": error.message}]
    return problem(422, error.code, error.message, errors=errors, members=members)


async def _handle(request: Request, error: Exception) -> Response:  # noqa: ARG001  starlette passes both
    return to_response(error)


def install(app: FastAPI) -> None:
    """Makes every error of ``app`` that is known a problem; of the others :class:`api.edge.failures.Failures` makes one."""
    for kind in (
        HTTPException,
        RequestValidationError,
        ClientDisconnect,
        StoreError,
        EngineError,
        *AWAY,
        OSError,
    ):
        app.add_exception_handler(kind, _handle)
