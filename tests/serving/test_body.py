"""Limits on what bodies hold, on the middleware alone."""

from __future__ import annotations

import anyio
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Scope

from serving.body import Bodies

SCOPE: Scope = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/", "raw_path": b"/",
    "query_string": b"", "headers": [], "scheme": "http", "server": ("here", 80), "client": ("there", 1), "root_path": "",
}  # fmt: skip


def echo() -> FastAPI:
    app = FastAPI()

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    return app


def status_of(pieces: list[bytes], *, ends: bool) -> int:
    """The answer to a body in pieces, which ends or stalls."""
    said: list[Message] = []

    async def receive() -> Message:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces) or not ends}
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)

    anyio.run(Bodies(echo(), 100, arrival=0.1), SCOPE, receive, send)
    status = said[0]["status"]
    assert isinstance(status, int)
    return status


@pytest.mark.parametrize(
    ("pieces", "ends", "status"),
    [([b"12", b"34"], True, 200), ([b"1" * 60, b"2" * 60], True, 413), ([b"12"], False, 408), ([], False, 408)],
)
def test_a_body_must_fit_and_arrive(pieces: list[bytes], ends: bool, status: int) -> None:
    assert status_of(pieces, ends=ends) == status
