"""Runs the application on uvicorn."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.resources import open_resources
from api.settings import ApiSettings
from api.startup import prepare

#: A stream of events does not end by itself when the server is told to stop.
_STOP_SECONDS = 3

#: The event loop has to wait so long for each thread that computes, Python's own 5 ms each time it has something to do.
_SWITCH_SECONDS = 0.0005


def serve(settings: ApiSettings) -> None:
    """Serves until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: the service cannot run as it is set up; nothing listens then.
    """
    with open_resources(settings, CollectorRegistry()) as resources:
        prepare(resources)
    run(create_app(settings), host=settings.api_host, port=settings.api_port)


def run(app: FastAPI, *, host: str, port: int, access_log: bool = False) -> None:
    """Serves an application as the service is served.

    Args:
        access_log: uvicorn logs each request; the service does that itself.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    uvicorn.run(
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
