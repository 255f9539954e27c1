"""The texts of the OpenAPI document that belong to no single route: its introduction, and examples of every error."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.errors import MEDIA_TYPE, Problem

DESCRIPTION = """\
Neural architecture search by blockwise knowledge distillation: post a dataset, a teacher and a budget, get a trained
network that fits.

* Errors are `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, and `errors` that point at fields.
* Lists are pages: `{"items": [...], "next": ...}`; pass `next` as `cursor`.
* A `POST` that creates takes an `Idempotency-Key`: repeated, it gives the same answer and `Idempotent-Replayed: true`.
* `flops` are multiply-adds of convolutions and linear layers at batch 1.
* Keys go in `Authorization: Bearer dna_...`. A service that `dna up` started needs none on its own machine.
"""

_REFERENCE = "#/components/schemas/{model}"

#: What a route documents per status, as FastAPI takes it.
Responses = dict[int | str, dict[str, Any]]

_EXAMPLES: Mapping[int, tuple[str, dict[str, Any]]] = {
    400: ("The body is not JSON", {"type": "urn:dna:error:malformed_json", "detail": "The body is not JSON: ..."}),
    401: (
        "No key, or one that is not valid",
        {"type": "urn:dna:error:unauthorized", "detail": "The key is not valid, or was revoked."},
    ),
    403: (
        "A web page of another site",
        {"type": "urn:dna:error:forbidden", "detail": "Without a key, requests are taken only from this machine, ..."},
    ),
    404: (
        "There is no such thing",
        {
            "type": "urn:dna:error:not_found",
            "detail": "There is no search 0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10.",
        },
    ),
    409: (
        "The state does not allow it",
        {"type": "urn:dna:error:illegal_transition", "detail": "The search has succeeded; there is nothing to cancel."},
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
        "More from one caller than are taken in a minute",
        {
            "type": "urn:dna:error:too_many_requests",
            "detail": "120 predictions a minute are taken from one caller. Try again in 14 s.",
        },
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


def problems(*statuses: int) -> Responses:
    """What a route may answer besides success, for its ``responses``."""
    return {status: _documented(status) for status in statuses}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of an app. FastAPI's own form of an invalid request gives way to ours."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= models_json_schema([(Problem, "serialization")], ref_template=_REFERENCE)[1]["$defs"]
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        if "application/json" in operation["responses"].get("422", {}).get("content", {}):
            del operation["responses"]["422"]
    return document


def _documented(status: int) -> dict[str, Any]:
    description, example = _EXAMPLES[status]
    whole = {"type": example["type"], "title": HTTPStatus(status).phrase, "status": status} | example
    schema = {"$ref": _REFERENCE.format(model=Problem.__name__)}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema, "example": whole}}}
