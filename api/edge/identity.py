"""The id of a request: in its answer, in its error, and in every line that is logged while it is served."""

from __future__ import annotations

import re

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from store.logs import bound

HEADER = "X-Request-ID"

#: What a client, or a proxy before this service, may call its request.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,64}", re.ASCII)


def current_id() -> str | None:
    """The id of the request that is served; None outside of one."""
    return bound("request_id")


class RequestIds:
    """Gives every request its id: the client's, where it sends one short token, else a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist(HEADER)
        mine = given[0] if len(given) == 1 and _TOKEN.fullmatch(given[0]) else str(uuid7())

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = mine
            await send(message)

        # It is never taken back: the server runs each request in a task of its own, and what it logs of one that failed is to have the id.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=mine)
        await self._app(scope, receive, named)
