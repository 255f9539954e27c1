"""Swagger UI from the package's own files: no other server is asked, so it works offline."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)


@router.get("/")
def go_to_docs() -> RedirectResponse:
    """The front page."""
    return RedirectResponse("docs")


@router.get("/docs")
def show_docs() -> HTMLResponse:
    """Every route, to read and to try."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="DNA AutoML",
        swagger_js_url="static/swagger-ui/swagger-ui-bundle.js",
        swagger_css_url="static/swagger-ui/swagger-ui.css",
        swagger_favicon_url="static/swagger-ui/favicon.png",
        swagger_ui_parameters={"validatorUrl": None, "persistAuthorization": True, "tryItOutEnabled": True},
    )


def mount_static(app: FastAPI) -> None:
    """Serves the files of ``api/static`` under ``/static``."""
    app.mount("/static", StaticFiles(directory=str(files("api") / "static")), name="static")
