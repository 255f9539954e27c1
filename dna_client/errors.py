"""Every error a user of the client can meet, and what the ``dna`` command exits with.

ClientError                 base; the message says what to do            exit code 1
├── ApiError                the server refused: RFC 9457 problem details           1
│   ├── InvalidRequest      400, 413, 415, 422: fields that are wrong              2
│   │   └── InfeasibleBudget  no network of the space fits the budget              3
│   ├── NotFound            404                                                    4
│   ├── Conflict            409: the state does not allow it                       5
│   └── Unauthorized        401, 403                                               8
├── ServerUnreachable       no answer, or the connection breaks again and again    6
├── JobNotSucceeded         a job that was waited for failed or was cancelled      7
├── DatasetRejected         the check of a dataset found that it cannot be used    7
├── WebhookNotReached       a test message was not taken                           7
├── CorruptDownload         what arrived has another SHA-256 than was announced    9
├── LocalError              a file or option on this side is wrong                 2
└── ServiceFailed           a process of ``dna up`` did not start, or ended       10
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


class ClientError(Exception):
    """Base of all errors the client raises on purpose; ``message`` is for the user."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class FieldError:
    """One wrong field of a request. ``where`` is its dotted path, e.g. ``budget.flops``."""

    where: str
    detail: str


class ApiError(ClientError):
    """The server refused the request.

    Attributes:
        status: HTTP status.
        type: URI reference that names the kind of problem.
        title: the kind of problem in words.
        detail: what is wrong this time, and what to do.
        errors: the fields at fault.
        problem: the whole answer, with members of this kind of problem such as ``feasible``.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.type = str(problem.get("type", "about:blank"))
        self.title = str(problem.get("title", f"HTTP {status}"))
        self.detail = str(problem.get("detail") or self.title)
        self.errors = [_field_error(item) for item in problem.get("errors", [])]
        self.problem = problem
        super().__init__(self.detail)

    @property
    def passing(self) -> bool:
        """Whether the same request may do better a moment later."""
        return self.status in _AWAY or self.type.endswith(":request_in_flight")


class InvalidRequest(ApiError):
    exit_code = 2


class InfeasibleBudget(InvalidRequest):
    """``feasible`` holds, per cost, the smallest and the largest value of any network of the space."""

    exit_code = 3

    @property
    def feasible(self) -> dict[str, list[int]]:
        return dict(self.problem.get("feasible", {}))


class NotFound(ApiError):
    exit_code = 4


class Conflict(ApiError):
    exit_code = 5


class Unauthorized(ApiError):
    exit_code = 8


class ServerUnreachable(ClientError):
    exit_code = 6


class JobNotSucceeded(ClientError):
    exit_code = 7


class DatasetRejected(ClientError):
    exit_code = 7


class WebhookNotReached(ClientError):
    exit_code = 7


#: Its name while searches were the only jobs.
SearchNotSucceeded = JobNotSucceeded


class CorruptDownload(ClientError):
    exit_code = 9


class LocalError(ClientError):
    exit_code = 2


class ServiceFailed(ClientError):
    exit_code = 10


#: Answers that say "later": another request is at it, too many requests, and what a proxy says while the server starts anew.
_AWAY = frozenset({423, 429, 502, 503, 504})

_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
}


def api_error(response: httpx.Response) -> ApiError:
    """The error of a response that was read; a body that is no problem+json, as of a proxy, becomes its detail."""
    problem = _problem(response)
    if "feasible" in problem:
        return InfeasibleBudget(response.status_code, problem)
    return _BY_STATUS.get(response.status_code, ApiError)(response.status_code, problem)


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    if response.content and "json" in response.headers.get("content-type", ""):  # An answer to HEAD has no content.
        found = response.json()
        if isinstance(found, dict):
            return found
    return {"title": f"HTTP {response.status_code}", "detail": f"HTTP {response.status_code}: {response.text[:200]}"}


def _field_error(item: Mapping[str, Any]) -> FieldError:
    """``pointer`` is a JSON pointer into the body, such as ``#/budget/flops``; ``parameter`` names one of the query."""
    where = item.get("pointer") or item.get("parameter") or ""
    return FieldError(str(where).lstrip("#/").replace("/", "."), str(item.get("detail", "")))
