"""A stream goes on without a gap or a double while the API, PostgreSQL and Redis are killed and started again."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import pytest
import redis

from api.settings import ApiSettings
from store import events, flow, jobs
from store.embedded_redis import redis_server
from store.events import NewEvent
from store.session import Sessions, await_database, make_engine, make_sessions, transaction
from store.settings import Settings
from store.states import EventType
from tests.api.conftest import serving
from tests.api.jobs.test_stream import parse
from tests.dna_client.conftest import running_api
from tests.postgres import SparePostgres
from tests.store.builders import new_search


class Follower(threading.Thread):
    """Follows as a browser does: connects again after the last event that it saw, until it is told that there are no more.

    Attributes:
        seen: numbers of the events as they came.
        connections: that were answered.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.seen: list[int] = []
        self.connections = 0
        self.start()

    def run(self) -> None:
        deadline = time.monotonic() + 240.0
        while time.monotonic() < deadline:
            try:
                if self._follow() == 204:
                    return
            except httpx.TransportError:
                time.sleep(0.05)

    def wait_for(self, number: int) -> None:
        deadline = time.monotonic() + 120.0
        while not self.seen or self.seen[-1] < number:
            assert time.monotonic() < deadline, self.seen
            time.sleep(0.01)

    def _follow(self) -> int:
        headers = {"last-event-id": str(self.seen[-1])} if self.seen else {}
        with httpx.stream("GET", self._url, headers=headers, timeout=60.0) as response:
            if response.status_code == 200:
                self.connections += 1
                self.seen += (int(event["id"]) for event in parse(response.iter_lines()) if "id" in event)
            return response.status_code


class Told:
    """A search, and what happens to it."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        with transaction(sessions) as session:
            self.id: UUID = new_search(session).id

    def log(self, count: int) -> int:
        """So many events, each by itself; returns the number of the last."""
        for _ in range(count):
            with transaction(self._sessions) as session:
                last = events.append(session, jobs.lock(session, self.id), [NewEvent(EventType.LOG, {"message": "x"})])
        return last

    def end(self) -> int:
        """It is cancelled; returns the number of the last event of all."""
        with transaction(self._sessions) as session:
            flow.cancel(session, self.id)
            return jobs.ends(session, [self.id])[self.id].seq


def test_the_api_is_killed_and_started_again_at_the_same_address(
    settings: Settings, sessions: Sessions, tmp_path: Path
) -> None:
    told = Told(sessions)
    assert settings.database_url is not None
    assert settings.redis_url is not None
    api = running_api(settings.database_url, settings.redis_url, tmp_path)
    with api as url:
        follower = Follower(f"{url}/searches/{told.id}/events")
        follower.wait_for(told.log(20))
        told.log(1)  # It may be on its way.
        api.kill()
    told.log(20)
    with api:
        follower.wait_for(told.log(20))
        last = told.end()
        follower.join()
    assert follower.seen == list(range(1, last + 1))
    assert follower.connections >= 2


@pytest.fixture
def spare(spare_postgres: SparePostgres) -> Iterator[Sessions]:
    engine = make_engine(spare_postgres.url)
    yield make_sessions(engine)
    engine.dispose()


def test_the_servers_behind_it_are_stopped_and_started_again(
    api_settings: ApiSettings, spare_postgres: SparePostgres, spare: Sessions, tmp_path: Path
) -> None:
    told = Told(spare)
    folder = tmp_path / "redis"
    with redis_server(folder) as redis_url:
        behind = {"database_url": spare_postgres.url, "redis_url": redis_url, "database_connect_seconds": 2.0}
        with serving(api_settings.model_copy(update=behind)) as client:
            follower = Follower(f"{client.base_url}/searches/{told.id}/events")
            follower.wait_for(told.log(20))
            with redis.Redis.from_url(redis_url) as known:
                server = psutil.Process(known.info("server")["process_id"])
            program = server.exe()
            server.kill()
            follower.wait_for(told.log(5))
            with spare_postgres.away():
                assert not spare_is_there(client)
            again = subprocess.Popen([program, str(folder / "redis.conf")])
            await_database(spare.kw["bind"], within=60.0)
            follower.wait_for(told.log(20))
            last = told.end()
            follower.join()
            again.terminate()
            again.wait()
    assert follower.seen == list(range(1, last + 1))
    assert follower.connections == 1, "it was not even cut"


def spare_is_there(client: httpx.Client) -> bool:
    return bool(client.get("/readyz").json()["checks"]["database"])
