"""The dashboard, the service's front page: a client of the HTTP API that a browser runs, from the package's own files under ``static``."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

#: It runs its own modules only, asks its own service only, and nobody may frame it. Pictures that it has read with the caller's key are
#: blobs. No form is sent: they are read by its scripts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/")
def show_dashboard() -> FileResponse:
    """The page; which part of it shows stands behind the address's ``#``."""
    page = str(files("api") / "static" / "dashboard" / "index.html")
    return FileResponse(page, headers={"Content-Security-Policy": POLICY})
