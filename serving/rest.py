"""REST: KServe's routes of the Open Inference Protocol, a route for a picture as it is, and Prometheus' metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady
from kserve.protocol.rest.v2_endpoints import register_v2_endpoints
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException as AnyHTTPException

from serving.body import Bodies
from serving.errors import Busy
from serving.inputs import PICTURES
from serving.outputs import CLASSES, PROBABILITIES, TOP
from serving.plane import FixedNetworks, Plane, said

logger = logging.getLogger("dna.serving.rest")

#: What is answered to each kind of error, with its own words.
STATUS: Mapping[type[Exception], int] = {
    InvalidInput: 400,
    ModelNotFound: 404,
    NotImplementedError: 501,
    ModelNotReady: 503,
    Busy: 503,
}


class ClassOut(BaseModel):
    """A class and how likely it is, from 0 to 1."""

    name: str
    probability: float


class Classified(BaseModel):
    """The likeliest classes of a picture, best first."""

    model_name: str
    classes: list[ClassOut]


def create_app(
    plane: Plane,
    registry: CollectorRegistry,
    *,
    max_request_bytes: int,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
) -> FastAPI:
    """The application; ``lifespan`` opens what it needs and closes it."""
    app = FastAPI(title="DNA AutoML inference", docs_url=None, redoc_url=None, lifespan=lifespan)
    register_v2_endpoints(app, plane, FixedNetworks(plane.model_registry))

    @app.post("/v2/models/{model_name}/classify")
    async def classify(
        model_name: str, request: Request, top_k: Annotated[int, Query(ge=1, le=1000)] = TOP
    ) -> Classified:
        """The likeliest classes of the picture that is the body, best first."""
        asked = _of_picture(model_name, request.headers.get("content-type", ""), await request.body(), top_k)
        response, _ = await plane.infer(model_name, asked)
        names, shares = (response.get_output_by_name(name).data[0].tolist() for name in (CLASSES, PROBABILITIES))
        found = [ClassOut(name=name, probability=share) for name, share in zip(names, shares, strict=True)]
        return Classified(model_name=model_name, classes=found)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    _answer_errors(app)
    app.add_middleware(Bodies, most=max_request_bytes)
    return app


def _of_picture(model: str, kind: str, content: bytes, top_k: int) -> InferRequest:
    if kind.startswith(("multipart/", "application/json")) or not content:
        raise InvalidInput("Send the picture itself as the body, as in: curl --data-binary @photo.jpg")
    picture = InferInput(PICTURES, [1], "BYTES", data=[content])
    return InferRequest(model, [picture], parameters={"top_k": top_k})


def _answer_errors(app: FastAPI) -> None:
    """Every error as the protocol writes it: ``{"error": "..."}``."""

    async def in_words(_: Request, error: Exception) -> JSONResponse:
        status = STATUS[type(error)]
        return JSONResponse({"error": str(error)}, status, {"Retry-After": "1"} if status == 503 else None)

    async def invalid(_: Request, error: Any) -> JSONResponse:
        return JSONResponse({"error": said(error.errors())}, 400)

    async def other(_: Request, error: Any) -> JSONResponse:
        return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)

    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        logger.error("A request failed", exc_info=error)
        return JSONResponse({"error": "Internal server error."}, 500)

    for kind in STATUS:
        app.add_exception_handler(kind, in_words)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(AnyHTTPException, other)
    app.add_exception_handler(Exception, unexpected)
