"""Servers, databases and sessions for every test.

Real ones: those of ``DNA_TEST_DATABASE_URL`` and ``DNA_TEST_REDIS_URL`` when given, otherwise started from the wheels.
The schema is built once by the migrations; a test that commits gets a database of its own, cloned from that one or emptied behind another test.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from s3fs import S3FileSystem
from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session

from store.columns import new_id
from store.embedded import Servers, embedded_servers
from store.embedded_postgres import postgres
from store.migrate import upgrade
from store.session import Sessions, driver_url, make_engine, make_sessions
from store.settings import Settings
from tests.browser import chromium
from tests.databases import Databases
from tests.postgres import SparePostgres

#: For torch, which is loaded later, here and in engines: threads that wait for one another sleep. Three processes of tests on two cores have
#: more threads than cores, and threads that wait busily then take most of the time from those that they wait for.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
#: Each process of tests, and each engine that it starts, computes by its share of the cores.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_SIDE_BY_SIDE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, _CORES // _SIDE_BY_SIDE)))

#: What a server does for the day on which it is killed, and for tables that grow, costs time and is of no use to tests.
_SPEEDY = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET autovacuum = off",
    "SELECT pg_reload_conf()",
)

#: Folders of files that take minutes though they hold few tests.
_LONG = ("browser", "chaos", "e2e", "benchmarks", "worker")

#: Folders whose files go to one process, as they share what takes long to make.
_TOGETHER = ("tests/e2e", "tests/browser")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """A million objects are made, of which none is garbage: they are not looked through meanwhile, and in no test later. What tests make
    is looked through less often than by default, which took a tenth of the time of those that talk to the API.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(5_000, 10, 20)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones are begun first: of several processes, none waits at the end for what another has begun last."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in _LONG)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go to one process whole, and so do some folders."""
    from xdist.scheduler import LoadFileScheduling  # Where tests run in one process it may not be installed.

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            together = (folder for folder in _TOGETHER if nodeid.startswith(f"{folder}/"))
            return next(together, None) or super()._split_scope(nodeid)

    return Scheduling(config, log)


@dataclass(frozen=True)
class SmallDisk:
    """A disk, mounted at ``folder``."""

    folder: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Inside the block there is no byte left."""
        fill = self.folder / "fill"
        with fill.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"0" * (1 << 16))
        try:
            yield
        finally:
            fill.unlink()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A PostgreSQL in which databases may be created, and a Redis."""
    database_url, redis_url = os.environ.get("DNA_TEST_DATABASE_URL"), os.environ.get("DNA_TEST_REDIS_URL")
    if database_url and redis_url:
        yield Servers(driver_url(database_url), redis_url)
        return
    with server_folder() as folder, embedded_servers(folder) as started:
        _do(started.database_url, *_SPEEDY)
        yield Servers(driver_url(database_url or started.database_url), redis_url or started.redis_url)


@pytest.fixture(scope="session")
def spare_postgres() -> Iterator[SparePostgres]:
    """A server to be frozen and stopped. Nobody else's database is on it."""
    with server_folder() as folder:
        with postgres(folder / "postgres", "dna") as url:
            _do(url, *_SPEEDY)
            upgrade(url)
            spare = SparePostgres(url, folder / "postgres")
            yield spare
        spare.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Where an S3 of this machine answers, for whoever says that he has a key."""
    from moto.server import ThreadedMotoServer  # Slow to import, and few tests need it.

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket ``sets``, and the file system that reaches it; so do processes that are started meanwhile."""
    said = {"AWS_ENDPOINT_URL": s3_server, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in (said | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    fs = S3FileSystem()
    fs.mkdir("sets")
    yield fs
    fs.rm("sets", recursive=True)
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder in which embedded servers can be started."""
    with server_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def migrated(servers: Servers) -> Iterator[str]:
    """URL of a database with the current schema and nothing in it. Never connect to it: it is cloned."""
    with new_database(servers.database_url) as url:
        upgrade(url)
        yield url


@pytest.fixture(scope="session")
def databases(servers: Servers, migrated: str) -> Iterator[Databases]:
    """Where a test gets a migrated database from."""
    databases = Databases(servers.database_url, migrated)
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated database as good as new, of this test alone."""
    with databases.new() as url:
        yield url


@pytest.fixture
def empty_database_url(servers: Servers) -> Iterator[str]:
    """A fresh database without a schema."""
    with new_database(servers.database_url) as url:
        yield url


@pytest.fixture
def sessions(database_url: str) -> Iterator[Sessions]:
    """Sessions on a database of this test alone: for tests that commit."""
    engine = make_engine(database_url)
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def shared_engine(servers: Servers, migrated: str) -> Iterator[Engine]:
    with new_database(servers.database_url, template=migrated) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def session(shared_engine: Engine) -> Iterator[Session]:
    """A session whose work is rolled back after the test; a commit inside only ends a savepoint."""
    with shared_engine.connect() as connection, connection.begin() as outer:
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture
def redis_url(servers: Servers) -> Iterator[str]:
    """An empty Redis."""
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushdb()
        yield servers.redis_url
        client.flushdb()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a service on this test's own database, Redis and data folder, with short waits."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        data_dir=tmp_path / "data",
        poll_seconds=0.1,
        reap_seconds=0.5,
    )


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    """A disk of 16 MB."""
    with server_folder() as folder:
        mounted = shutil.which("mount") and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
        )
        if not mounted or mounted.returncode:
            pytest.skip("this user may not mount a disk")
        yield SmallDisk(folder)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for servers: not below pytest's, which every start of pytest closes to the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="dna-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def new_database(server_url: str, *, template: str | None = None) -> Iterator[str]:
    """URL of a database that exists inside the block, empty or a clone of ``template``."""
    name = f"test_{new_id().hex}"
    # As files: to write each page to the log takes the server half as long again.
    source = f' TEMPLATE "{make_url(template).database}" STRATEGY FILE_COPY' if template else ""
    _do(server_url, f'CREATE DATABASE "{name}"{source}')
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    _do(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _do(url: str, *statements: str) -> None:
    engine = make_engine(url, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """The last words of a run in which no browser was found say so: that tests are green does not show that the pages work."""
    yield
    skipped = (report.longrepr for report in terminalreporter.stats.get("skipped", ()))
    if any(isinstance(why, tuple) and chromium.MISSING in why[2] for why in skipped):
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(chromium.ADVICE, red=True, bold=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    contract = parser.getgroup("contract")
    contract.addoption(
        "--requests",
        type=int,
        default=0,
        help="So many requests, at least, are made up for tests/contract; by default a few.",
    )
    contract.addoption("--seed", type=int, default=0, help="What they are drawn by.")
