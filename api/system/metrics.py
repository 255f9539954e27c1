"""Figures for Prometheus: requests as they happen, jobs, steps and workers as they are when asked."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import CallerDep, authenticate
from api.deps import ResourcesDep, SessionDep
from api.edge.access import method, route
from api.openapi import problems
from store import workers
from store.states import JobKind
from store.statistics import jobs_by_state, waiting_messages, waiting_steps

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
    """A collector of what was just read from the database."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
def get_figures(session: SessionDep, resources: ResourcesDep, caller: CallerDep) -> Response:
    """Figures for Prometheus. Those of requests, which are everybody's, are for who sees every project: a key with `admin` beside `read`."""
    live = workers.live(session, within=resources.settings.worker_timeout)
    names = {
        JobKind.SEARCH: "searches",
        JobKind.TRAINING: "trainings",
        JobKind.TUNING: "tunings",
        JobKind.CHECK: "checks",
        JobKind.TIMING: "timings",
    }
    jobs = [_jobs(session, kind, name) for kind, name in names.items()]
    waiting = GaugeMetricFamily("dna_steps_waiting", "Queued steps by queue.", labels=["queue"])
    for queue, count in waiting_steps(session).items():
        waiting.add_metric([queue], count)
    busy = GaugeMetricFamily("dna_workers", "Live workers.", labels=["busy"])
    for flag in (True, False):
        busy.add_metric([str(flag).lower()], sum((worker.current_step_id is not None) is flag for worker in live))
    due = GaugeMetricFamily(
        "dna_webhook_messages_waiting", "Messages to webhooks that are due.", waiting_messages(session)
    )
    registry = CollectorRegistry()
    registry.register(_Now([*jobs, waiting, busy, due]))
    content = (generate_latest(resources.metrics) if caller.actor.sees_all else b"") + generate_latest(registry)
    return Response(content, media_type=CONTENT_TYPE_LATEST)


def _jobs(session: Session, kind: JobKind, name: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"dna_{name}", f"{name.capitalize()} by state.", labels=["state"])
    for state, count in jobs_by_state(session, kind).items():
        family.add_metric([state.value], count)
    return family
