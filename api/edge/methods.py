"""What routes need not say of methods: HEAD where there is a GET, OPTIONS everywhere, and in a 405 all that is allowed."""

from __future__ import annotations

import re
from functools import cached_property

import anyio
from fastapi import FastAPI, Response
from fastapi.routing import iter_route_contexts
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Methods:
    """Answers OPTIONS, and HEAD as GET without the body; routes that have their own keep them.

    Args:
        service: whose routes there are.
    """

    def __init__(self, app: ASGIApp, service: FastAPI) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own = self._methods(scope["path"])
        allow = ", ".join(sorted(own | {"OPTIONS"} | ({"HEAD"} if "GET" in own else set())))

        async def allowing(message: Message) -> None:
            if message["type"] == "http.response.start" and (message["status"] == 405 or scope["method"] == "OPTIONS"):
                MutableHeaders(scope=message)["Allow"] = allow
            await send(message)

        if scope["method"] == "OPTIONS" and own and "OPTIONS" not in own:
            await Response(None, 204)(scope, receive, allowing)
        elif scope["method"] == "HEAD" and "GET" in own and "HEAD" not in own:
            await self._head(scope, receive, send)
        else:
            await self._app(scope, receive, allowing if own else send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only the headers of GET; as soon as they are there, nothing more is read or computed: a stream may have no end."""
        asked = {**scope, "method": "GET"}

        async def headers_only(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope.update(asked, method="HEAD")
                await send(message)
                await send({"type": "http.response.body"})
                rest.cancel()

        with anyio.CancelScope() as rest:
            await self._app(asked, receive, headers_only)

    def _methods(self, path: str) -> frozenset[str]:
        """What routes take at a path; none where there is no route."""
        return next((methods for form, methods in self._by_path if form.match(path)), frozenset())

    @cached_property
    def _by_path(self) -> list[tuple[re.Pattern[str], frozenset[str]]]:
        """Each form of a path once, in the order in which routes are found, with the methods of all its routes."""
        found: dict[re.Pattern[str], frozenset[str]] = {}
        for route in iter_route_contexts(self._service.routes):
            files = frozenset({"GET", "HEAD"}) if isinstance(route.original_route, Mount) else frozenset()
            found[route.path_regex] = found.get(route.path_regex, frozenset()) | files | frozenset(route.methods or ())
        return list(found.items())
