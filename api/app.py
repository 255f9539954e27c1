"""The application: routes, errors, and resources that live as long as it runs. Importing it opens nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute

import api.architectures.endpoints
import api.changes.endpoints
import api.datasets.endpoints
import api.keys.endpoints
import api.pictures.endpoints
import api.projects.endpoints
import api.recipes.endpoints
import api.searches.endpoints
import api.searches.results
import api.spaces.endpoints
import api.system.dashboard
import api.system.docs
import api.system.health
import api.system.metrics
import api.teachers.endpoints
import api.trainings.endpoints
import api.tunings.endpoints
import api.uploads.endpoints
import api.webhooks.endpoints
import api.webhooks.told
import api.workers.endpoints
from api import errors
from api.edge.access import AccessLog
from api.edge.failures import Failures
from api.edge.headers import AnswerHeaders
from api.edge.identity import RequestIds
from api.edge.methods import Methods
from api.edge.traces import Traces
from api.openapi import describe, problems
from api.query import KnownParameters
from api.resources import open_resources
from api.settings import ApiSettings
from api.startup import prepare
from api.system.files import mounts
from api.system.metrics import RequestMetrics, new_registry
from store.tracing import NO_TRACES, Tracer, open_tracer

ROUTERS = (
    api.searches.endpoints.estimates,
    api.searches.endpoints.router,
    api.searches.results.router,
    api.searches.results.choices,
    api.pictures.endpoints.router,
    api.architectures.endpoints.router,
    api.architectures.endpoints.tries,
    api.trainings.endpoints.estimates,
    api.trainings.endpoints.router,
    api.trainings.endpoints.tries,
    api.tunings.endpoints.estimates,
    api.tunings.endpoints.router,
    api.uploads.endpoints.router,
    api.datasets.endpoints.uploads,
    api.datasets.endpoints.router,
    api.recipes.endpoints.router,
    api.spaces.endpoints.router,
    api.teachers.endpoints.uploads,
    api.teachers.endpoints.router,
    api.workers.endpoints.router,
    api.changes.endpoints.router,
    api.keys.endpoints.me,
    api.keys.endpoints.router,
    api.projects.endpoints.router,
    api.webhooks.endpoints.router,
    api.system.health.router,
    api.system.metrics.router,
    api.system.dashboard.router,
    api.system.docs.router,
)


def _operation_id(route: APIRoute) -> str:
    """Clients are generated from the document: their methods are called like our handlers."""
    return route.name


#: What holds for every route, also for one that is added to an application.
_ALIKE: dict[str, Any] = {
    "dependencies": [Depends(KnownParameters())],
    "responses": problems(422),
    "generate_unique_id_function": _operation_id,
}


def create_app(settings: ApiSettings) -> FastAPI:
    """The service with these settings.

    Its start raises ConfigurationError where it cannot run as it is set up, see :func:`api.startup.prepare`.
    """
    registry, tracer = new_registry(), open_tracer("dna-api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_resources(settings, registry) as resources:
            prepare(resources)
            app.state.resources = resources
            async with resources.feed.running(), resources.watch.running():
                yield
        tracer.close()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,  # api.system.docs has it, with a validator.
        docs_url=None,
        redoc_url=None,
        routes=[*mounts(), *_routes()],  # A page has a hundred files: they do not look at every route first.
        **_ALIKE,
    )
    errors.install(app)
    surround(app, registry, tracer)
    app.openapi = _document  # type: ignore[method-assign]  # the way FastAPI names to do it
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """Shared by the applications of a process: what each route takes is worked out at the first request, which is most of a start."""
    every = APIRouter(**_ALIKE)
    for router in ROUTERS:
        every.include_router(router)
    return tuple(every.routes)


@cache
def _document() -> dict[str, Any]:
    return describe(_routes(), api.webhooks.told.router.routes)


def surround(app: FastAPI, registry: CollectorRegistry, tracer: Tracer = NO_TRACES) -> None:
    """What every answer goes through, from the innermost outwards."""
    app.add_middleware(Methods, service=app)
    app.add_middleware(Failures)
    app.add_middleware(RequestMetrics, registry=registry)
    app.add_middleware(AnswerHeaders)
    app.add_middleware(AccessLog)
    if tracer.on:
        app.add_middleware(Traces, tracer=tracer)
    app.add_middleware(RequestIds)
