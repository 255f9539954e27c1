"""A real API process for the client to speak to; workers are played by the tests, through the store."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from dna_client import Client
from dna_client.__main__ import main
from store.blobs import BlobStore
from store.embedded import Servers
from store.session import Sessions, make_engine, make_sessions
from store.settings import Settings
from tests.api.builders import finish
from tests.conftest import new_database

#: The client's pauses, shortened.
PAUSES = (0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Api:
    """The process's address, and its database and files from behind."""

    url: str
    sessions: Sessions
    blobs: BlobStore
    data: Path


@pytest.fixture(scope="session")
def api(servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("client")
    with new_database(servers.database_url, template=migrated) as database_url:
        settings = Settings(database_url=database_url, redis_url=servers.redis_url, data_dir=folder)
        engine = make_engine(database_url)
        with running_api(database_url, servers.redis_url, folder) as url:
            yield Api(url, make_sessions(engine), BlobStore(settings.artifacts), folder)
        engine.dispose()


class running_api:  # noqa: N801  used as a function
    """``python -m api`` inside a block; the block gets its address."""

    def __init__(self, database_url: str, redis_url: str, folder: Path, *, embedded: bool = True) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "api.log"
        self._command = [sys.executable, "-m", "api", *(["--embedded"] if embedded else []), "--port", str(port)]
        names = {"DNA_DATABASE_URL": database_url, "DNA_REDIS_URL": redis_url, "DNA_DATA_DIR": str(folder)}
        names |= {"DNA_EVENTS_POLL_SECONDS": "0.05", "DNA_WEBHOOKS_ALLOW_NETWORKS": "127.0.0.0/8"}
        self._environment = {**os.environ, **names}

    def __enter__(self) -> str:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)
        return self.url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def kill(self) -> None:
        """As a machine that loses its power does; the block is still to be left, and may be entered again."""
        self._process.kill()
        self._process.wait(10)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(api.url, pauses=PAUSES) as client:
        yield client


@pytest.fixture(scope="session")
def finished(api: Api) -> str:
    """Id of a search that has succeeded."""
    with Client(api.url) as client:
        search = client.create_search({"dataset": "digits", "name": "finished", "labels": {"made": "before"}})
    finish(api.sessions, api.blobs, UUID(search["id"]))
    return search["id"]


@pytest.fixture(scope="session")
def network(api: Api, finished: str) -> str:
    """Id of the network that the finished search found."""
    with Client(api.url) as client:
        best = client.get_search(finished)["best"]
    assert best is not None
    return best["architecture_id"]


@pytest.fixture(scope="session")
def trained(api: Api, network: str) -> str:
    """Id of a training of that network alone, which has succeeded."""
    spec = {"architecture": network, "dataset": "digits", "name": "trained", "labels": {"made": "alone"}}
    with Client(api.url) as client:
        training = client.trainings.create(spec)
    finish(api.sessions, api.blobs, UUID(training["id"]))
    return training["id"]


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


Dna = Callable[..., Answer]


@pytest.fixture
def dna(api: Api, monkeypatch: pytest.MonkeyPatch, dna_here: Dna) -> Dna:
    """Speaks to that API."""
    monkeypatch.setenv("DNA_URL", api.url)
    return dna_here


@pytest.fixture
def dna_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dna:
    """The command in this process, wherever the environment and its options send it."""
    monkeypatch.setenv("COLUMNS", "60")

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["dna", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, *capsys.readouterr())

    return run
