"""Runs the application on uvicorn."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from socket import socket

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.resources import open_resources
from api.settings import ApiSettings
from api.startup import prepare

#: What is being answered when the server is told to stop has so long to end.
_STOP_SECONDS = 3

#: uvicorn ends with it where the application does not start.
_NOT_STARTED = 3

#: The event loop has to wait so long for each thread that computes, Python's own 5 ms each time it has something to do.
_SWITCH_SECONDS = 0.0005


def serve(settings: ApiSettings) -> None:
    """Serves until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: the service cannot run as it is set up; nothing listens then.
    """
    with open_resources(settings, CollectorRegistry()) as resources:
        prepare(resources)
    app = create_app(settings)
    run(app, host=settings.api_host, port=settings.api_port, leave=lambda: app.state.resources.end_streams())


class Server(uvicorn.Server):
    """One that says when it begins to stop: before it waits for what is being answered, which the application's own end comes after."""

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._leave = leave

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there by now stays: to look through all of it for garbage would hold up every answer for as long.
        gc.freeze()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._leave()
        await super().shutdown(sockets)


def run(
    app: FastAPI, *, host: str, port: int, access_log: bool = False, leave: Callable[[], None] = lambda: None
) -> None:
    """Serves an application as the service is served.

    Args:
        access_log: uvicorn logs each request; the service does that itself.
        leave: called on the event loop when the server begins to stop; ends what would not end by itself.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # The same wherever it runs: left to itself uvicorn takes others where they happen to be installed.
        loop="asyncio",
        http="h11",
        ws="none",
        server_header=False,
        log_config=None,  # Its lines go the way of all others.
        access_log=access_log,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = Server(config, leave)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)
