"""Figures for Prometheus: of this process what it counts itself, of all else what the database says when asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from fastapi import APIRouter, Depends, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import CallerDep, authenticate
from api.deps import ResourcesDep, SessionDep
from api.edge.access import method, route
from api.openapi import problems
from api.system import figures
from store import workers

router = APIRouter(tags=["system"], dependencies=[Depends(authenticate)], responses=problems(401, 403, 503))


class RequestMetrics:
    """Counts requests and their time, by method, route and status. ASGI middleware; its registry is its own."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ("method", "route", "status")
        self._requests = Counter("dna_http_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram("dna_http_request_seconds", "Time to the first byte.", labels[:2], registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                # What a client chooses, a path or a method, would be a series each.
                where = (method(scope), route(scope))
                self._requests.labels(*where, message["status"]).inc()
                self._seconds.labels(*where).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, observed)


class _Now:
    """A collector of what was just read."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def new_registry() -> CollectorRegistry:
    """Of what one process of the API tells of itself: its memory and time, which version it is, and the requests that it has answered."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Gauge("dna_build_info", "The version that runs.", ["version"], registry=registry)
    build.labels(version("dna-automl")).set(1)
    return registry


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
def get_figures(session: SessionDep, resources: ResourcesDep, caller: CallerDep) -> Response:
    """Figures for Prometheus. Those of requests and of what has happened, which are everybody's, are for who sees every project: a key with
    `admin` beside `read`."""
    live = workers.live(session, within=resources.settings.worker_timeout)
    everything = caller.actor.sees_all
    folders = {"artifacts": resources.blobs.folder, "datasets": resources.settings.datasets_dir} if everything else {}
    now = [*figures.of_projects(session), *figures.of_workers(live), *figures.of_disks(live, folders)]
    registry = CollectorRegistry()
    registry.register(_Now([*now, *(figures.of_tallies(session) if everything else ())]))
    content = (generate_latest(resources.metrics) if everything else b"") + generate_latest(registry)
    return Response(content, media_type=CONTENT_TYPE_LATEST)
