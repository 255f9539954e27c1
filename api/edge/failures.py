"""The last resort: what nobody expected, and what the framework refuses in its own words, are problems like any other."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import MEDIA_TYPE, problem, to_response

#: What a bare refusal says beside its words, and is kept.
_KEPT = ("allow", "content-range")


class Failures:
    """Answers what fails with a problem. Once an answer has begun it can only be cut, which the server does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False
        refused: tuple[int, Headers] | None = None
        words = bytearray()

        async def watched(message: Message) -> None:
            nonlocal begun, refused
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                if message["status"] >= 400 and headers.get("content-type") != MEDIA_TYPE:
                    refused = message["status"], headers
            if refused is not None:
                words.extend(message.get("body", b""))
                return
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            await to_response(error)(scope, receive, send)
            return
        if refused is not None:
            status, headers = refused
            kept = {name: headers[name] for name in _KEPT if name in headers}
            phrase = HTTPStatus(status).phrase
            said = words.decode(errors="replace").strip() or phrase
            answer = problem(status, phrase.lower().replace(" ", "_"), f"{said.rstrip('.')}.", headers=kept)
            await answer(scope, receive, send)
