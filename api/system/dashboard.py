"""The dashboard, the service's front page: a client of the HTTP API that a browser runs, from the package's own files under ``static``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.conditions import is_held
from api.system.files import DASHBOARD, dashboard_address, version

router = APIRouter(include_in_schema=False)

#: It runs its own modules only, asks its own service only, and nobody may frame it. Pictures that it has read with the caller's key are
#: blobs. No form is sent: they are read by its scripts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


#: Read with its files, when the service starts: what is installed over them meanwhile is another version's.
_PAGE = (DASHBOARD / "index.html").read_text(encoding="utf-8").replace("static/dashboard/", f"{dashboard_address()}/")


@router.get("/")
def show_dashboard(request: Request) -> Response:
    """The page; which part of it shows stands behind the address's ``#``. It is the same for as long as its files are."""
    headers = {"Content-Security-Policy": POLICY, "ETag": f'"{version(DASHBOARD)}"'}
    return Response(None, 304, headers) if is_held(request, headers["ETag"]) else HTMLResponse(_PAGE, 200, headers)
