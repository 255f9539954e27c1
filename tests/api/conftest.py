"""The real application on real servers.

``client`` has a database of the test's own. ``shared`` and ``finished`` are for tests that only read: they last as long as
the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store.blobs import BlobStore
from store.embedded import Servers
from store.session import make_engine, make_sessions
from store.settings import Settings
from tests.api.builders import finish, new_training
from tests.conftest import new_database

#: Without a key the service answers only to names of its own machine.
LOCAL = "http://127.0.0.1"


@pytest.fixture
def api_settings(settings: Settings) -> ApiSettings:
    """As of a service that one person runs on their machine; streams look often."""
    return ApiSettings(**settings.model_dump(), embedded=True, events_poll_seconds=0.02, events_ping_seconds=0.3)


@pytest.fixture
def client(api_settings: ApiSettings) -> Iterator[TestClient]:
    """Calls the application in this process."""
    with TestClient(create_app(api_settings), base_url=LOCAL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def blobs(api_settings: ApiSettings) -> BlobStore:
    return BlobStore(api_settings.artifacts)


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """Statements that any connection sends."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def shared_settings(servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSettings]:
    with new_database(servers.database_url, template=migrated) as url:
        yield ApiSettings(
            database_url=url, redis_url=servers.redis_url, data_dir=tmp_path_factory.mktemp("api"), embedded=True
        )


@pytest.fixture(scope="session")
def shared(shared_settings: ApiSettings) -> Iterator[TestClient]:
    with TestClient(create_app(shared_settings), base_url=LOCAL, raise_server_exceptions=False) as client:
        yield client


@dataclass(frozen=True)
class Finished:
    """A job that has succeeded, and where to read it."""

    client: TestClient
    id: str
    kind: str = "searches"

    def get(self, path: str, **params: str | int) -> httpx.Response:
        """The answer to ``/searches/{id}``, or that of another kind, and the path."""
        return self.client.get(f"/{self.kind}/{self.id}{path}", params=params)

    def network(self, role: str) -> str:
        """Id of the winner or control."""
        return next(network["id"] for network in self.get("").json()["architectures"] if network["role"] == role)


@pytest.fixture(scope="session")
def finished(shared: TestClient, shared_settings: ApiSettings) -> Finished:
    assert shared_settings.database_url is not None
    search = shared.post("/searches", json={"dataset": "digits", "labels": {"kept": "yes"}}).json()
    engine = make_engine(shared_settings.database_url)
    finish(make_sessions(engine), BlobStore(shared_settings.artifacts), UUID(search["id"]))
    engine.dispose()
    return Finished(shared, search["id"])


@pytest.fixture(scope="session")
def trained(finished: Finished, shared_settings: ApiSettings) -> Finished:
    """A training of a network that was selected from the finished search."""
    assert shared_settings.database_url is not None
    found = finished.client.post(f"/searches/{finished.id}/select", json={"top_k": 3}).json()["architectures"]
    network = next(network["id"] for network in found if network["role"] == "selected")
    training = new_training(finished.client, network, name="alone", labels={"kept": "yes"})
    engine = make_engine(shared_settings.database_url)
    finish(make_sessions(engine), BlobStore(shared_settings.artifacts), UUID(training["id"]))
    engine.dispose()
    return Finished(finished.client, training["id"], "trainings")


@pytest.fixture
def server(api_settings: ApiSettings) -> Iterator[httpx.Client]:
    """Calls the application over a socket: for answers that come in pieces."""
    with serving(api_settings) as client:
        yield client


@contextmanager
def serving(settings: ApiSettings) -> Iterator[httpx.Client]:
    """The application behind a socket for as long as the block lasts."""
    config = uvicorn.Config(
        create_app(settings), port=0, http="h11", ws="none", log_level="warning", timeout_graceful_shutdown=1
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"{LOCAL}:{port}", timeout=10) as client:
        try:
            yield client
        finally:  # A thread that serves would keep a test run from ending.
            running.should_exit = True
            thread.join(10)
