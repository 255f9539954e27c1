"""The service's own files under ``/static``. Those of the dashboard stand under an address that changes with them, so browsers keep them."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

STATIC = Path(str(files("api"))) / "static"
DASHBOARD = STATIC / "dashboard"

#: Seconds; so long as HTTP lets one say it, a year.
_FOR_GOOD = "public, max-age=31536000, immutable"


class _Held:
    """Files of a folder, read once: under the same address there is never anything else, so whoever has one need not ask again.

    A page begins with a hundred of them, and to open each anew takes twice as long as to answer.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {path.relative_to(folder).as_posix(): _whole(path) for path in _below(folder)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        found = self._files.get(scope["path"].removeprefix(f"{scope['root_path']}/"))
        if found is None:
            raise HTTPException(404)
        await found(scope, receive, send)


def _whole(path: Path) -> Response:
    kind, _ = mimetypes.guess_type(path.name)
    return Response(path.read_bytes(), headers={"Cache-Control": _FOR_GOOD}, media_type=kind or "text/plain")


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@cache
def version(folder: Path) -> str:
    """Of the files of a folder: another one as soon as one of them is another."""
    digest = hashlib.sha256()
    for path in _below(folder):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def dashboard_address() -> str:
    """Where this version of the dashboard's files is, from the page."""
    return f"static/{version(DASHBOARD)}/dashboard"


def mounts() -> tuple[Mount, Mount]:
    """What serves them: also those of the dashboard without their version, for who asks for one by hand."""
    return (
        Mount(f"/{dashboard_address()}", _Held(DASHBOARD), name="dashboard"),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    )
