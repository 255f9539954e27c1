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
        process: to be killed and entered again, at the same address.
    """

    url: str
    ids: Filled
    sessions: Sessions
    blobs: BlobStore
    data: Path
    process: running_api

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
    """An API on a clone of it. Without ``embedded`` it takes nothing without a key."""
    data = folder / "data"
    shutil.copytree(template.data, data)
    with new_database(servers.database_url, template=template.database_url) as url:
        engine = make_engine(url)
        blobs = BlobStore(Settings(database_url=url, redis_url=_redis(servers), data_dir=data).artifacts)
        process = running_api(url, _redis(servers), data, embedded=embedded)
        with process:
            yield Service(process.url, template.ids, make_sessions(engine), blobs, data, process)
        engine.dispose()


def _redis(servers: Servers) -> str:
    return servers.redis_url.removesuffix("/0") + _REDIS
