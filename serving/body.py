"""Limits on what requests over REST hold in memory: each, and all together."""

from __future__ import annotations

import anyio
from fastapi import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: All requests together may hold so many times what one may.
TOGETHER = 8
#: Seconds in which a body must arrive whole: one that stalls would hold its room for ever.
ARRIVAL = 60.0


class Bodies:
    """ASGI middleware that counts bodies while they arrive, and until they are answered.

    Args:
        most: bytes of one.
        arrival: seconds in which it must be there.
    """

    def __init__(self, app: ASGIApp, most: int, arrival: float = ARRIVAL) -> None:
        self._app, self._most, self._arrival = app, most, arrival
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if said.isdigit() and int(said) > self._most:
            await JSONResponse({"error": self._too_large}, 413)(scope, receive, send)
            return
        mine, deadline, whole = 0, anyio.current_time() + self._arrival, False

        async def counted() -> Message:
            nonlocal mine, whole
            try:
                with anyio.fail_after(None if whole else deadline - anyio.current_time()):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"The body did not arrive within {self._arrival:g} s.") from None
            whole = not message.get("more_body", False)
            arrived = len(message.get("body", b""))
            mine, self._held = mine + arrived, self._held + arrived
            if mine > self._most:
                raise HTTPException(413, self._too_large)
            if self._held > TOGETHER * self._most:
                raise HTTPException(
                    503, "The server holds as much as it can; try again in a moment.", {"Retry-After": "1"}
                )
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= mine

    @property
    def _too_large(self) -> str:
        return f"The body is larger than {self._most:,} bytes."
