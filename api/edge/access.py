"""A line in the log for every request, when its answer has been sent."""

from __future__ import annotations

import logging
import time
from http import HTTPMethod

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("dna.api.access")

#: Where requests end up that match no route: their paths are the client's to choose.
_NO_ROUTE = "none"

#: What methods are called likewise: a client may invent one for each request.
_METHODS = frozenset(HTTPMethod)
_OTHER_METHOD = "other"


def method(scope: Scope) -> str:
    """The method of a request, of those there are."""
    return scope["method"] if scope["method"] in _METHODS else _OTHER_METHOD


def route(scope: Scope) -> str:
    """The path of a request as the document writes it, such as ``/searches/{search_id}``. Known once the request was answered."""
    return getattr(scope.get("route"), "path", _NO_ROUTE)


class AccessLog:
    """Logs method, route, status, seconds to the last byte and the id of the caller's key, never the key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status: int | None = None

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            caller = scope.get("state", {}).get("caller")
            said = {
                "method": method(scope),
                "route": route(scope),
                "status": status,
                "seconds": round(time.perf_counter() - started, 4),
                "key": caller.owner if caller else None,
            }
            logger.info("request", extra=said)
