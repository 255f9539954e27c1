"""What of the OpenAPI document belongs to no single route: its introduction, every error with an example, headers, what holds for all routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api.changes.schemas import ChangeData, HelloData
from api.errors import MEDIA_TYPE, Problem
from api.headers import described, headers

DESCRIPTION = """\
Neural architecture search by blockwise knowledge distillation: post a dataset, a teacher and a budget, get a trained
network that fits.

* Errors are `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, and `errors` that point at fields.
* Lists are pages: `{"items": [...], "next": ...}`; pass `next` as `cursor`.
* A query parameter that a route does not have, or one given twice that it takes once, is an error as an unknown field is.
* A `POST` that creates takes an `Idempotency-Key`: repeated, it gives the same answer and `Idempotent-Replayed: true`.
* `flops` are multiply-adds of convolutions and linear layers at batch 1.
* A method that a path does not have is a 405 with `Allow`.
* What happens can be followed (`/events`), or told to a URL of yours (`/webhooks`; the messages are in `webhooks` of this document).
* Keys go in `Authorization: Bearer dna_...`. A service that `dna up` started needs none on its own machine.
"""

#: What the routes of each tag are about, in the order in which they are shown.
TAGS: Mapping[str, str] = {
    "searches": "Find a network: a dataset, a teacher, a space and a budget in, a trained network out.",
    "results": "What a search found: ratings of all candidates, the exact frontier, networks for other budgets, pictures.",
    "architectures": "Networks, found or given: their files, how long they take, what they answer to a picture.",
    "trainings": "Train a network on a dataset: from scratch, from distilled blocks, or from another training.",
    "tunings": "Look for a recipe by which a network learns a dataset well: many short trainings.",
    "datasets": "Images, sent as an archive, in one request or in pieces, or named where they lie; and what their check says.",
    "webhooks": "URLs of yours that are told what happens to jobs and datasets, and what they were sent.",
    "keys": "Who may do what, and how much of it; and for each caller its own key.",
    "recipes": "By what numbers networks are trained.",
    "spaces": "The networks among which a search looks.",
    "teachers": "Trained networks that supervise a search.",
    "changes": "What changes in jobs of every kind, as one stream.",
    "workers": "The processes that compute.",
    "system": "For whoever runs the service.",
}

_REFERENCE = "#/components/schemas/{model}"

#: What a route documents per status, as FastAPI takes it.
Responses = dict[int | str, dict[str, Any]]

_EXAMPLES: Mapping[int, tuple[str, dict[str, Any]]] = {
    400: ("The body is not JSON", {"type": "urn:dna:error:malformed_json", "detail": "The body is not JSON: ..."}),
    401: (
        "No key, or one that is not valid",
        {"type": "urn:dna:error:unauthorized", "detail": "The key is not valid."},
    ),
    403: (
        "The key may not do this, or has used what it may; or a web page of another site",
        {
            "type": "urn:dna:error:missing_scope",
            "detail": "The key has not the scope run, which this needs. Ask whoever manages keys for one that has (dna key create NAME --scopes "
            "run).",
            "scope": "run",
        },
    ),
    404: (
        "There is no such thing",
        {
            "type": "urn:dna:error:not_found",
            "detail": "There is no search 0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10.",
        },
    ),
    408: (
        "The body stopped arriving",
        {"type": "urn:dna:error:request_timeout", "detail": "Nothing of the body has come for 30 s. Send it again."},
    ),
    409: (
        "The state does not allow it",
        {"type": "urn:dna:error:illegal_transition", "detail": "The search has succeeded; there is nothing to cancel."},
    ),
    405: (
        "A method that the path does not have",
        {"type": "urn:dna:error:method_not_allowed", "detail": "Method Not Allowed"},
    ),
    412: (
        "Another version of tus",
        {"type": "urn:dna:error:wrong_version", "detail": "Send Tus-Resumable: 1.0.0."},
    ),
    413: (
        "The body is too large",
        {"type": "urn:dna:error:payload_too_large", "detail": "The body is larger than 1,048,576 bytes."},
    ),
    415: (
        "Another media type",
        {
            "type": "urn:dna:error:unsupported_media_type",
            "detail": "Send pieces as Content-Type: application/offset+octet-stream.",
        },
    ),
    416: (
        "The range lies outside the file",
        {"type": "urn:dna:error:range_not_satisfiable", "detail": "The file has 482,113 bytes."},
    ),
    422: (
        "Fields that are wrong, or a budget that no network meets",
        {
            "type": "urn:dna:error:infeasible_budget",
            "detail": "No network of the space fits the budget: flops is at most 1,000, the smallest network has "
            "462,288. Ask for flops between 462,288 and 1,628,448.",
            "errors": [
                {
                    "pointer": "#/budget/flops",
                    "detail": "No network of the space fits the budget: flops is at most 1,000, the smallest network has "
                    "462,288. Ask for flops between 462,288 and 1,628,448.",
                }
            ],
            "feasible": {"flops": [462288, 1628448], "params": [177310, 611590]},
            "binding": ["flops"],
            "nearest": [{"flops": 462288}],
        },
    ),
    423: (
        "Another request writes to it",
        {
            "type": "urn:dna:error:locked",
            "detail": "Another request is sending this upload just now. Ask where it stands, and try again.",
        },
    ),
    429: (
        "More from one caller than are taken",
        {
            "type": "urn:dna:error:too_many_requests",
            "detail": "120 predictions a minute are taken from one caller. Try again in 14 s.",
        },
    ),
    500: (
        "The service failed",
        {"type": "urn:dna:error:internal", "detail": "The service failed on this request. Its log says why."},
    ),
    503: (
        "A server behind this one does not answer",
        {"type": "urn:dna:error:unavailable", "detail": "Not ready: redis."},
    ),
    507: (
        "A disk of the service is full",
        {
            "type": "urn:dna:error:disk_full",
            "detail": "The disk of the datasets (DNA_DATASETS) is full: 12.5 MB free. Make room there.",
        },
    ),
}


#: What streams say and no other answer does: FastAPI does not find it.
_STREAMED = (HelloData, ChangeData)

#: Headers of every answer, beside those that are for browsers and caches.
_ALWAYS = ("X-Request-ID",)

#: Headers of errors, by status.
_SAID: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    412: ("Tus-Version",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def problems(*statuses: int) -> Responses:
    """What a route may answer besides success, for its ``responses``; one that takes a key, that the key has asked too often."""
    return {status: _documented(status) for status in (*statuses, *([429] if 401 in statuses else []))}


def describe(routes: Sequence[BaseRoute], webhooks: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document of the service. FastAPI's own form of an invalid request gives way to ours."""
    tags = [{"name": name, "description": description} for name, description in TAGS.items()]
    document = get_openapi(
        title="DNA AutoML",
        version=version("dna-automl"),
        description=DESCRIPTION,
        routes=routes,
        webhooks=webhooks,
        tags=tags,
    )
    components = document["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["schemas"] |= models_json_schema(
        [(model, "serialization") for model in (Problem, *_STREAMED)], ref_template=_REFERENCE
    )[1]["$defs"]
    for name, schema in components["schemas"].items():
        if (
            "-" in name
        ):  # What goes in is written otherwise than what comes out; generators of clients call both by their title.
            schema["title"] = name.replace("-", "")
    components["headers"] = described()
    components["responses"] = {_name(status): _documented(status) for status in _EXAMPLES}
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        operation["responses"] = _answers(operation)
    for told in document["webhooks"].values():  # It is the receiver that answers.
        told["post"]["responses"].pop("422", None)
    return document


def _answers(operation: Mapping[str, Any]) -> dict[str, Any]:
    """What a route answers: what it says itself, and what all do alike."""
    once = any(parameter["name"] == "idempotency-key" for parameter in operation.get("parameters", ()))
    found: dict[str, Any] = {}
    for status, answer in operation["responses"].items():
        if status == "422" and "application/json" in answer.get("content", {}):
            continue
        if int(status) >= 400:
            found[status] = _shared(int(status), answer)
        else:
            made = ("Location",) if status in ("201", "202") else ()
            again = ("Idempotent-Replayed",) if once else ()
            said = headers(*_ALWAYS, *made, *again)["headers"] | answer.get("headers", {})
            found[status] = answer | {"headers": said}
    return {str(status): _shared(status, _documented(status)) for status in _any(operation)} | found


def _any(operation: Mapping[str, Any]) -> tuple[int, ...]:
    """What may go wrong with any request, and with any that has a body."""
    if "requestBody" not in operation:
        return (500,)
    return (408, 413, 415, 500)


def _shared(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    """The error as it is described once for all, but where a route says more of it."""
    return {"$ref": f"#/components/responses/{_name(status)}"} if answer == _documented(status) else answer


def _name(status: int) -> str:
    return f"Problem{status}"


def _documented(status: int) -> dict[str, Any]:
    description, example = _EXAMPLES[status]
    whole = {"type": example["type"], "title": HTTPStatus(status).phrase, "status": status} | example
    whole |= {"request_id": "019ac1d2-7b1e-7a32-9c55-3a2f3f0a6c11"}
    schema = {"$ref": _REFERENCE.format(model=Problem.__name__)}
    content = {MEDIA_TYPE: {"schema": schema, "example": whole}}
    return {"description": description, **headers(*_ALWAYS, *_SAID.get(status, ())), "content": content}
