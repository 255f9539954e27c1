"""A service of a test file's own: a real API on a clone of a filled database, and its worker's side for the test to play."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store.blobs import BlobStore
from store.embedded import Servers
from store.session import Sessions, clock, make_engine, make_sessions, transaction
from store.settings import Settings
from store.tables import Worker
from tests.api.conftest import LOCAL
from tests.api.conftest import serving as api_serving
from tests.browser.filled import Filled, fill
from tests.conftest import new_database
from tests.dna_client.conftest import running_api

#: Of this folder's services alone: messages of other tests are for others.
_REDIS = "/2"


@dataclass(frozen=True)
class Made:
    """A filled database that nobody is connected to, to be cloned with its files."""

    database_url: str
    data: Path
    ids: Filled


@dataclass(frozen=True)
class Service:
    """A running API.

    Attributes:
        url: where it answers.
        ids: of what it was filled with.
        sessions, blobs: its database and files from behind, as a worker has them.
        process: to be killed and entered again, at the same address; None where the API runs in this process.
    """

    url: str
    ids: Filled
    sessions: Sessions
    blobs: BlobStore
    data: Path
    process: running_api | None = None

    def get(self, path: str, **params: Any) -> Any:
        """What the API answers to a path."""
        return httpx.get(f"{self.url}{path}", params=params, timeout=30).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.url}{path}", json=body, timeout=30)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def beat(self) -> None:
        """Its workers have just been heard of; none is forgotten during a test."""
        with transaction(self.sessions) as session:
            session.execute(update(Worker).values(last_seen_at=clock(session) + timedelta(seconds=1)))


@contextmanager
def made(servers: Servers, migrated: str, folder: Path) -> Iterator[Made]:
    """Filled once, for all test files."""
    with new_database(servers.database_url, template=migrated) as url:
        settings = ApiSettings(
            database_url=url,
            redis_url=_redis(servers),
            data_dir=folder / "data",
            embedded=True,
            webhooks_allow_networks="127.0.0.0/8",
        )
        engine = make_engine(url)
        with TestClient(create_app(settings), base_url=LOCAL) as client:
            ids = fill(client, make_sessions(engine), BlobStore(settings.artifacts), folder / "worker")
        engine.dispose()
        yield Made(url, folder / "data", ids)


@contextmanager
def serving(servers: Servers, template: Made, folder: Path, *, embedded: bool = True) -> Iterator[Service]:
    """An API on a clone of it, in this process, where it starts at once. Without ``embedded`` it takes nothing without a key."""
    with _clone(servers, template, folder) as clone:
        ours = {"embedded": embedded, "events_poll_seconds": 0.05, "webhooks_allow_networks": "127.0.0.0/8"}
        settings = ApiSettings(**clone.settings.model_dump() | ours)
        with api_serving(settings) as client:
            yield clone.service(str(client.base_url).rstrip("/"))


@contextmanager
def serving_alone(servers: Servers, template: Made, folder: Path) -> Iterator[Service]:
    """The same in a process of its own, which can be killed."""
    with _clone(servers, template, folder) as clone:
        process = running_api(str(clone.settings.database_url), _redis(servers), clone.settings.data_dir)
        with process:
            yield clone.service(process.url, process)


@dataclass(frozen=True)
class _Clone:
    settings: Settings
    ids: Filled
    sessions: Sessions

    def service(self, url: str, process: running_api | None = None) -> Service:
        blobs = BlobStore(self.settings.artifacts)
        return Service(url, self.ids, self.sessions, blobs, self.settings.data_dir, process)


@contextmanager
def _clone(servers: Servers, template: Made, folder: Path) -> Iterator[_Clone]:
    data = folder / "data"
    shutil.copytree(template.data, data)
    with new_database(servers.database_url, template=template.database_url) as url:
        engine = make_engine(url)
        settings = Settings(database_url=url, redis_url=_redis(servers), data_dir=data)
        yield _Clone(settings, template.ids, make_sessions(engine))
        engine.dispose()


def _redis(servers: Servers) -> str:
    return servers.redis_url.removesuffix("/0") + _REDIS
