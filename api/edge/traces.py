"""A span for every request, where traces are switched on: below the caller's, where that sends a ``traceparent``."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge.access import method, path, route
from api.edge.identity import current_id
from store.tracing import Tracer

#: What machines ask every few seconds, and files: nobody looks for them, and they would be most of what is kept.
_UNTRACED = ("/healthz", "/readyz", "/metrics", "/static/")

_SERVERS_FAULT = 500


class Traces:
    """It ends with the last byte of the answer. What is made meanwhile is below it: the row of a job keeps it."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNTRACED):
            await self._app(scope, receive, send)
            return
        parent = Headers(scope=scope).get("traceparent")
        about = {"http.request.method": method(scope), "url.path": path(scope), "dna.request.id": current_id() or ""}
        with self._tracer.span(method(scope), kind="server", parent=parent, attributes=about) as span:

            async def observed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.name(f"{method(scope)} {route(scope)}")
                    span.note({"http.route": route(scope), "http.response.status_code": status})
                    if status >= _SERVERS_FAULT:
                        span.fail(f"answered with {status}")
                await send(message)

            await self._app(scope, receive, observed)
