"""A line in the log for every request, when its answer has been sent."""

from __future__ import annotations

import logging
import time
from http import HTTPMethod
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("dna.api.access")

#: Where requests end up that match no route: their paths are the client's to choose.
_NO_ROUTE = "none"

#: What methods are called likewise: a client may invent one for each request.
_METHODS = frozenset(HTTPMethod)
_OTHER_METHOD = "other"


#: Of paths that are none of ours, so much is logged.
_LONGEST_PATH = 500


def method(scope: Scope) -> str:
    """The method of a request, of those there are."""
    return scope["method"] if scope["method"] in _METHODS else _OTHER_METHOD


def route(scope: Scope) -> str:
    """The path of a request as the document writes it, such as ``/searches/{search_id}``. Known once the request was answered."""
    return getattr(scope.get("route"), "path", _NO_ROUTE)


def path(scope: Scope) -> str:
    """The path that was asked for, with the ids in it; without the query, which may hold what is secret. Cut where it is long."""
    asked = quote(scope["path"], safe="/:@!$&'()*+,;=~", errors="replace")
    return asked if len(asked) <= _LONGEST_PATH else f"{asked[:_LONGEST_PATH]}..."


class AccessLog:
    """Logs method, route and path, status, ``type`` of an error, seconds to the last byte, the caller's project and the id of its key, never the
    key.
    """

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
            state = scope.get("state", {})
            caller = state.get("caller")
            said = {
                "method": method(scope),
                "route": route(scope),
                "path": path(scope),
                "status": status,
                "problem": state.get("problem"),
                "seconds": round(time.perf_counter() - started, 4),
                "key": caller.owner if caller else None,
                "project": caller.project if caller else None,
            }
            logger.info("request", extra=said)
