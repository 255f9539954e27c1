"""Headers of answers, each described once: what the document says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

#: By name: what it holds, what it says, and one that could be.
_HEADERS: Mapping[str, tuple[dict[str, Any], str, str | int]] = {
    "Accept-Ranges": (_TEXT, "`Range` is understood.", "bytes"),
    "Allow": (_TEXT, "The methods that the path has.", "GET, POST"),
    "Content-Disposition": (
        _TEXT,
        "What to call the file, and whether a browser saves or shows it. A name beyond ASCII comes as `filename*` too (RFC 6266).",
        'attachment; filename="winner-of-birds-0d6f6f3f.onnx"',
    ),
    "Content-Range": (
        _TEXT,
        "Which bytes of how many these are; of a range that there is not, how many there are.",
        "bytes 0-1023/482113",
    ),
    "Digest": (
        _TEXT,
        "`Repr-Digest` as it was written before RFC 9530.",
        "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ),
    "ETag": (
        _TEXT,
        "Changes when the answer would; of a file its SHA-256.",
        '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
    ),
    "Idempotent-Replayed": (
        {"type": "string", "const": "true"},
        "The request was answered before under its `Idempotency-Key`; this is that answer.",
        "true",
    ),
    "Location": (
        {"type": "string", "format": "uri-reference"},
        "Path of what was made.",
        "/searches/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10",
    ),
    "Repr-Digest": (
        _TEXT,
        "SHA-256 of the whole file, in base64 (RFC 9530).",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    ),
    "Retry-After": (_COUNT, "Seconds after which to try again.", 5),
    "Tus-Extension": (_TEXT, "What of tus is spoken beside its core.", "creation,termination,expiration"),
    "Tus-Max-Size": (_COUNT, "Bytes that a file may have.", 21474836480),
    "Tus-Resumable": (_TEXT, "The version of tus that is spoken.", "1.0.0"),
    "Tus-Version": (_TEXT, "Versions of tus that are spoken.", "1.0.0"),
    "Upload-Length": (_COUNT, "Bytes that the file will have.", 734003200),
    "Upload-Offset": (_COUNT, "Bytes of it that have arrived: where to go on.", 104857600),
    "X-Request-ID": (
        _TEXT,
        "The id of the request, as errors and the service's log name it: the client's own, where it sent one.",
        "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10",
    ),
    "WWW-Authenticate": (_TEXT, "How to say who calls.", 'Bearer realm="dna"'),
}


def headers(*names: str) -> dict[str, Any]:
    """What an answer documents that has these headers."""
    assert set(names) <= set(_HEADERS), names
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def described() -> dict[str, Any]:
    """The descriptions, for the components of the document."""
    return {
        name: {"description": description, "schema": schema, "example": example}
        for name, (schema, description, example) in _HEADERS.items()
    }
