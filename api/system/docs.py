"""Swagger UI from the package's own files: no other server is asked, so it works offline. And the document that it shows."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from api.conditions import is_held

router = APIRouter(include_in_schema=False)

#: The page's one script stands in it, and is named by its hash; Swagger UI sets styles on what it draws.
_POLICY = (
    "default-src 'none'; script-src 'self' {script}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@router.get("/openapi.json")
def get_document(request: Request) -> Response:
    """Every route, for programs."""
    body = json.dumps(request.app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    if is_held(request, etag):
        return Response(None, 304, {"ETag": etag})
    return Response(body, 200, {"ETag": etag}, "application/json")


@router.get("/docs")
def show_docs() -> HTMLResponse:
    """Every route, to read and to try."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="DNA AutoML",
        swagger_js_url="static/swagger-ui/swagger-ui-bundle.js",
        swagger_css_url="static/swagger-ui/swagger-ui.css",
        swagger_favicon_url="static/swagger-ui/favicon.png",
        swagger_ui_parameters={"validatorUrl": None, "persistAuthorization": True, "tryItOutEnabled": True},
    )
    scripts = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _SCRIPT.findall(page.body))
    page.headers["Content-Security-Policy"] = _POLICY.format(
        script=" ".join(f"'sha256-{script}'" for script in scripts)
    )
    return page
