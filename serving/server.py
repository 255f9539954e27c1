"""Runs both protocols in one process, on one event loop, until it is told to stop."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from kserve import ModelRepository
from prometheus_client import REGISTRY

from serving import rpc
from serving.addresses import address, bound
from serving.metrics import Metrics
from serving.model import Rooms, ServedNetwork
from serving.network import Network
from serving.plane import Plane
from serving.rest import create_app
from serving.settings import ServingSettings

logger = logging.getLogger("dna.serving")


def serve(networks: Sequence[Network], settings: ServingSettings) -> None:
    """Serves until SIGINT or SIGTERM; requests that are being answered then have ``serve_stop_seconds``.

    Prints one line of JSON with the addresses and the names as soon as it listens.

    Raises:
        CannotServe: a file cannot be loaded, a port is taken.
    """
    repository = _loaded(networks, settings)
    plane = Plane(repository)
    listening = bound(settings.serve_host, settings.serve_port, "REST", "--port")
    listening.listen()  # Who reads the addresses may come before the event loop.
    # gRPC binds by itself, once there is an event loop; that it can is found out before.
    with bound(settings.serve_host, settings.serve_grpc_port, "gRPC", "--grpc-port") as probe:
        grpc = address(probe)
    most, stop_seconds = settings.serve_max_request_bytes, settings.serve_stop_seconds

    @asynccontextmanager
    async def opened(_: FastAPI) -> AsyncIterator[None]:
        async with rpc.answering(plane, grpc, max_request_bytes=most, stop_seconds=stop_seconds):
            _say(f"http://{address(listening)}", grpc, list(repository.get_models()))
            yield

    app = create_app(plane, REGISTRY, max_request_bytes=most, lifespan=opened)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # /metrics counts; a line for each answer would take longer than some answers.
        server_header=False,
        timeout_graceful_shutdown=stop_seconds,
    )
    # uvicorn raises the signal that stopped it once more when all is done, and it has been obeyed then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run([listening])


def _loaded(networks: Sequence[Network], settings: ServingSettings) -> ModelRepository:
    repository = ModelRepository()
    rooms = Rooms.of(settings, Metrics(REGISTRY))
    for network in networks:
        repository.update(ServedNetwork(network, settings, rooms))
    return repository


def _say(url: str, grpc: str, models: list[str]) -> None:
    print(json.dumps({"url": url, "grpc": grpc, "models": models}), flush=True)
    print(f"Serving {', '.join(models)}. Ctrl-C stops it.", file=sys.stderr)
