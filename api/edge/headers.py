"""Headers that keep a browser from doing with an answer what it is not for, and caches from keeping it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Of every answer that does not say otherwise. An answer that is no page shows nothing and may be framed by nobody.
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Within the service itself it stays: a browser would else hide where a form of /docs comes from.
    "Referrer-Policy": "same-origin",
}

#: Answers say how things are now, and belong to a caller. What has a validator may be kept by who got it, and is asked for again.
_NEVER_KEPT = "no-store"
_ASKED_AGAIN = "private, no-cache"


class AnswerHeaders:
    """Adds to every answer what it does not say itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", _ASKED_AGAIN if "ETag" in headers else _NEVER_KEPT)
            await send(message)

        await self._app(scope, receive, completed)
