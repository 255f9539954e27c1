"""While PostgreSQL is away or frozen every route that needs it says so within seconds, and when to come back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store.columns import new_id
from store.session import make_engine
from tests.api.conftest import LOCAL, serving
from tests.api.problems import problem
from tests.conftest import SmallDisk
from tests.postgres import SparePostgres

SEARCH = {"json": {"dataset": "digits"}}


@pytest.fixture
def on_spare(api_settings: ApiSettings, spare_postgres: SparePostgres) -> ApiSettings:
    brief = {"database_connect_seconds": 2.0, "database_statement_seconds": 5.0}
    return api_settings.model_copy(update={"database_url": spare_postgres.url, **brief})


@pytest.fixture
def impatient(on_spare: ApiSettings) -> Iterator[httpx.Client]:
    with serving(on_spare) as client:
        yield client


def answers(client: TestClient | httpx.Client) -> list[httpx.Response]:
    """Of routes that read, write and look; one is the metrics', one says whether the service is ready."""
    reads = ("/readyz", "/metrics", "/searches", f"/searches/{new_id()}", f"/searches/{new_id()}/events", "/workers")
    upload = client.post("/datasets", files={"file": ("birds.zip", b"PK")})
    return [*(client.get(path) for path in reads), client.post("/searches", **SEARCH), upload]


def test_away(on_spare: ApiSettings, spare_postgres: SparePostgres) -> None:
    with TestClient(create_app(on_spare), base_url=LOCAL, raise_server_exceptions=False) as client:
        assert client.get("/readyz").status_code == 200
        with spare_postgres.away():
            for answer in answers(client):
                problem(answer, 503, "unavailable")
                assert int(answer.headers["retry-after"]) > 0
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").json()["checks"]["database"] is False
        deadline = time.monotonic() + 60.0
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
        assert client.post("/searches", **SEARCH).status_code == 201


def test_frozen(impatient: httpx.Client, spare_postgres: SparePostgres) -> None:
    """With more requests than threads the service still says that it lives, and then answers each."""
    impatient.timeout = httpx.Timeout(60.0)
    assert impatient.get("/readyz").status_code == 200
    with ThreadPoolExecutor(45) as pool, spare_postgres.frozen():
        hanging = [pool.submit(impatient.get, "/searches") for _ in range(45)]
        begun = time.monotonic()
        assert impatient.get("/healthz").json() == {"status": "ok"}
        alive = time.monotonic() - begun
        assert not all(request.done() for request in hanging)
        for answer in [*(request.result() for request in hanging), *answers(impatient)]:
            problem(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert alive < (time.monotonic() - begun) / 2
    deadline = time.monotonic() + 30.0
    while impatient.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
    assert impatient.get("/searches").status_code == 200


def test_no_room_for_the_database(on_spare: ApiSettings, spare_postgres: SparePostgres, small_disk: SmallDisk) -> None:
    """What is there is read, what would be written is refused, and is taken as soon as there is room."""
    there = small_disk.folder / "tables"
    there.mkdir()
    spare_postgres.may_write(there)
    engine = make_engine(spare_postgres.url, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE TABLESPACE small LOCATION '{there}'"))
        connection.execute(text("VACUUM FULL jobs"))
        connection.execute(text("ALTER TABLE jobs SET TABLESPACE small"))
        with TestClient(create_app(on_spare), base_url=LOCAL, raise_server_exceptions=False) as client:
            with small_disk.full():
                answers = [client.post("/searches", json={"dataset": "digits"}) for _ in range(20)]
                refused = [answer for answer in answers if answer.status_code != 201]
                assert refused, "the page that is begun has room for some"
                for answer in refused:
                    assert "no room on its disk" in problem(answer, 503, "unavailable")["detail"]
                ready = client.get("/readyz")
                assert (ready.status_code, client.get("/searches").status_code) == (200, 200)
                assert "PostgreSQL had no room on its disk" in ready.json()["warnings"][-1]
            assert client.post("/searches", **SEARCH).status_code == 201
        connection.execute(text("ALTER TABLE jobs SET TABLESPACE pg_default"))
        connection.execute(text("DROP TABLESPACE small"))
    engine.dispose()
