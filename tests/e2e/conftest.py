"""One service with one search that has ended, for all that is then done with it: starting both is most of what these tests take.

The API and the worker have a data folder each, as on two machines; they share nothing but the database, Redis and the artifacts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dna_client import Client
from dna_client.models import Search, Webhook
from store.embedded import Servers
from store.settings import Settings
from tests.conftest import new_database
from tests.dna_client.conftest import running_api
from tests.e2e.service import TINY, machine, wait_for
from tests.receivers import Receiver, receiver

#: With a standard network beside what is found, and without another of the space: the search of the photos has that one.
COMPARED = TINY | {"name": "digits", "retrain": TINY["retrain"] | {"references": ["lcnet_100"], "control": False}}


@dataclass(frozen=True)
class Done:
    """A finished search and where to ask for it; a webhook, and what it was told; the worker's data folder, and the ids of its engines before
    the search and behind it.
    """

    url: str
    search: Search
    created: httpx.Response
    hook: Webhook
    told: Receiver
    worker: Path
    engines: tuple[set[int], set[int]]


#: What ends the service, once it was started.
SERVICE = pytest.StashKey[ExitStack]()


@pytest.fixture(scope="session")
def done(
    servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Done]:
    """The service has queues of its own: those of other tests wake others."""
    folder = tmp_path_factory.mktemp("e2e")
    with ExitStack() as stack:
        pytestconfig.stash[SERVICE] = stack
        database_url = stack.enter_context(new_database(servers.database_url, template=migrated))
        redis_url = servers.redis_url.removesuffix("/0") + "/1"
        (folder / "api").mkdir()
        settings = Settings(
            database_url=database_url,
            redis_url=redis_url,
            data_dir=folder / "worker",
            artifacts_url=(folder / "api/artifacts").as_uri(),
        )
        inside = {"DNA_WEBHOOKS_ALLOW_NETWORKS": "127.0.0.0/8"}
        url = stack.enter_context(running_api(database_url, redis_url, folder / "api"))
        worker = stack.enter_context(machine(settings, **inside))
        told = stack.enter_context(receiver())
        client = stack.enter_context(Client(url))
        hook = client.webhooks.create(told.url, events=["search.*"])
        wait_for(lambda: len(worker.engines) == 2)  # One is ready in each of its nodes.
        before = {engine.pid for engine in worker.engines}
        created = httpx.post(f"{url}/searches", json=COMPARED)
        search = client.wait(created.json()["id"])
        after = {engine.pid for engine in worker.engines}
        yield Done(url, search, created, hook, told, settings.data_dir, (before, after))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Behind the last test here the service ends: its workers would take time from all other tests, though they had nothing to do."""
    if SERVICE in item.config.stash and (nextitem is None or nextitem.path.parent != item.path.parent):
        item.config.stash[SERVICE].close()
