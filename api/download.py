"""Downloads: checksums, validators and ranges (RFC 9110, RFC 9530), so that a broken one can go on where it broke."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import Any, Self

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.conditions import is_held
from api.errors import ApiError
from api.file_names import disposition
from api.headers import headers
from api.openapi import Responses
from store import artifacts
from store.blobs import BlobStore
from store.tables import Artifact

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


_FILE = {"schema": {"type": "string", "format": "binary"}}
_JSON = {"schema": {"type": "object", "description": "The content of a file of JSON."}}
_SAID = ("ETag", "Repr-Digest", "Digest", "Accept-Ranges", "Content-Disposition")


def responses(*media_types: str, model: Any = None) -> Responses:
    """What a route that answers with :func:`respond` says of its answers.

    Args:
        media_types: of files that it answers with.
        model: of JSON that it answers with too, where it does.
    """
    files = {media_type: _JSON if media_type == "application/json" else _FILE for media_type in media_types}
    return {
        200: {
            "description": "The file. `ETag` is its SHA-256, `Repr-Digest` the same in base64",
            "content": files,
            **headers(*_SAID),
            **({} if model is None else {"model": model}),
        },
        206: {
            "description": "The part that `Range` asked for",
            "content": {"application/octet-stream": _FILE},
            **headers(*_SAID, "Content-Range"),
        },
        304: {"description": "`If-None-Match` names this very file", **headers("ETag", "Content-Disposition")},
    }


@dataclass(frozen=True)
class Content:
    """Bytes to be downloaded: ``whole`` checks them against their hash, ``part`` reads from start to stop (exclusive).

    A browser saves them, or shows them where they are ``inline``.
    """

    filename: str
    media_type: str
    size: int
    sha256: str
    whole: Callable[[], Iterator[bytes]]
    part: Callable[[int, int], Iterator[bytes]]
    inline: bool = False

    @classmethod
    def in_memory(cls, filename: str, media_type: str, body: bytes, *, inline: bool = False) -> Self:
        return cls(
            filename=filename,
            media_type=media_type,
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            whole=lambda: iter([body]),
            part=lambda start, stop: iter([body[start:stop]]),
            inline=inline,
        )

    @classmethod
    def stored(cls, blobs: BlobStore, artifact: Artifact, stem: str, *, inline: bool = False) -> Self:
        """A stored file, under the name ``stem`` with its own suffixes."""
        blob = artifacts.blob(artifact)
        return cls(
            filename=stem + "".join(PurePosixPath(artifact.name).suffixes),
            media_type=artifact.media_type,
            size=blob.size,
            sha256=blob.sha256,
            whole=lambda: blobs.read(blob),
            part=lambda start, stop: blobs.read_range(blob, start, stop),
            inline=inline,
        )


class RangeNotSatisfiable(ApiError):
    status = 416
    kind = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size:,} bytes.", headers={"Content-Range": f"bytes */{size}"})


def respond(request: Request, content: Content) -> Response:
    """The file, the part of it that was asked for, or 304 where the client has it already.

    Raises:
        RangeNotSatisfiable: the part lies outside the file.
    """
    headers = _headers(content)
    if is_held(request, headers["ETag"]):
        # What browsers kept is called as it is now, and stays as closed as it was.
        kept = ("ETag", "Content-Disposition", "Content-Security-Policy")
        return Response(status_code=304, headers={name: headers[name] for name in kept})
    wanted = _range(request, headers["ETag"], content.size)
    start, stop = wanted or (0, content.size)
    headers["Content-Length"] = str(stop - start)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    chunks = content.whole() if wanted is None else content.part(start, stop)
    # The first chunk before the headers: a file that is missing or altered is an error, not a broken download.
    first = next(chunks, b"")
    return StreamingResponse(chain([first], chunks), 206 if wanted else 200, headers, content.media_type)


def _headers(content: Content) -> dict[str, str]:
    digest = base64.b64encode(bytes.fromhex(content.sha256)).decode()
    return {
        "ETag": f'"{content.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Digest": f"sha-256={digest}",
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition(content.filename, inline=content.inline),
        "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
    }


def _range(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """Start and stop (exclusive). None for the whole file: no range, several, one we cannot read, or of another file."""
    condition = request.headers.get("if-range")
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or match[0] == "bytes=-" or condition not in (None, etag):
        return None
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= stop:
        raise RangeNotSatisfiable(size)
    return start, stop
