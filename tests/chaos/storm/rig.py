"""The service as processes that can be ended one by one: PostgreSQL, Redis, the API and machines with workers.

A machine has a data folder of its own; machines share PostgreSQL, Redis and the stored files. What is started here has a mark in its
environment, by which it is found again whoever its parent is by then.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import Row, text
from sqlalchemy.exc import OperationalError

from store import workers
from store.blobs import BlobStore
from store.embedded_postgres import postgres
from store.migrate import upgrade
from store.session import Sessions, make_engine, make_sessions, transaction
from store.settings import Settings
from tests.chaos.storm.clock import Clock
from tests.chaos.storm.disk import Disk
from tests.chaos.storm.redis import StormRedis
from tests.e2e.service import Machine, alive, wait_for
from tests.lossy import LossyProxy, lossy_proxy
from tests.postgres import SparePostgres

MARK = "DNA_STORM"

#: Short, so that what is lost is noticed within seconds; no shorter, for whatever looks takes time from what works. Attempts without end: a step
#: that fails has another reason than bad luck.
WAITS = {
    "lease_seconds": 2.0,
    "lease_renew_seconds": 0.5,
    "rewake_seconds": 1.0,
    "reap_seconds": 2.0,
    "poll_seconds": 1.0,
    "worker_timeout_seconds": 6.0,
    "retry_seconds": 0.1,
    "max_attempts": 1000,
    "database_statement_seconds": 5.0,
    "database_idle_seconds": 5.0,
}
#: The same of workers and engines alone.
WORKER_WAITS = {"DNA_BEAT_SECONDS": "2", "DNA_CHECKPOINT_SECONDS": "1", "DNA_TIDY_SECONDS": "10", "DNA_DEVICE": "cpu"}

#: The machines: the queues of their nodes.
MACHINES = {"one": "gpu,cpu", "two": "gpu"}

#: What a machine may take to leave when it is told to, beyond the engine's grace and what its nodes have.
LEAVE_SECONDS = 30.0
#: What PostgreSQL may take to answer the tests themselves: it may be recovering.
LOOK_SECONDS = 60.0


class Rig:
    """Everything that runs. Made by :func:`storm_rig`.

    Attributes:
        settings: of all; those of a machine differ in its data folder, those of machine ``two`` in the way to PostgreSQL.
        disks: small ones that can be filled, by what lies on them; empty where this machine does not let us mount any.
        proxy: through which machine ``two`` speaks to PostgreSQL.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        database: SparePostgres,
        redis: StormRedis,
        proxy: LossyProxy,
        disks: dict[str, Disk],
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.database = database
        self.redis = redis
        self.proxy = proxy
        self.disks = disks
        self.clock = Clock(folder / "clock")
        self.machines: dict[str, Machine] = {}
        self._mark = secrets.token_hex(8)
        self._port = free_port()

    @cached_property
    def sessions(self) -> Sessions:
        """Of the tests themselves: straight to PostgreSQL."""
        assert self.settings.database_url is not None
        return make_sessions(make_engine(self.settings.database_url))

    @property
    def blobs(self) -> BlobStore:
        return BlobStore(self.settings.artifacts)

    @property
    def url(self) -> str:
        """Of the API."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts API and machines and waits until all are at work."""
        self.start_api()
        for name in MACHINES:
            self.start_machine(name)
        wait_for(lambda: self.answers() and self.all_there())

    def start_api(self) -> None:
        command = [sys.executable, "-m", "api", "--embedded", "--port", str(self._port)]
        self.api = self._start("api", command, self._variables(data_dir=self.folder / "api"))

    def start_machine(self, name: str) -> None:
        url = self.proxy.url if name == "two" else self.settings.database_url
        variables = self._variables(data_dir=self.data_dir(name), database_url=url)
        clock = self.clock.environment if name == "two" else {}
        command = [sys.executable, "-m", "worker", "--queues", MACHINES[name]]
        self.machines[name] = Machine(self._start(name, command, variables | WORKER_WAITS | clock))

    def data_dir(self, name: str) -> Path:
        return self.folder / name

    def answers(self) -> bool:
        """Whether the API does."""
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def all_there(self) -> bool:
        """Whether the live workers are the nodes that run, as many as there should be, and each has an engine ready."""
        with transaction(self.sessions) as session:
            live = {worker.pid for worker in workers.live(session, within=self.settings.worker_timeout)}
        wanted = sum(len(queues.split(",")) for queues in MACHINES.values())
        engines = [engine for machine in self.machines.values() for engine in machine.engines if alive(engine)]
        return live == {node.pid for node in self.nodes} and len(live) == len(engines) == wanted

    @property
    def ended(self) -> list[str]:
        """What should run and has come to an end by itself."""
        processes = {"api": self.api} | {name: machine.process for name, machine in self.machines.items()}
        return [f"{name} has ended with {one.returncode}" for name, one in processes.items() if one.poll() is not None]

    @property
    def nodes(self) -> list[psutil.Process]:
        return [node for machine in self.machines.values() for node in machine.nodes]

    @property
    def engines(self) -> list[psutil.Process]:
        return [engine for machine in self.machines.values() for engine in machine.engines]

    @property
    def marked(self) -> list[psutil.Process]:
        """Every live process that was started here or by what was."""
        return [process for process in psutil.process_iter() if self._is_marked(process) and alive(process)]

    def look(self, query: str, **values: object) -> list[Row[Any]]:
        """Rows of the database, as soon as it answers."""
        deadline = time.monotonic() + LOOK_SECONDS
        while True:
            try:
                with transaction(self.sessions) as session:
                    return list(session.execute(text(query), values).all())
            except OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def leave(self) -> None:
        """Asks all to leave and waits until those that were started here have."""
        machines = [machine.process for machine in self.machines.values()]
        for process in (*machines, self.api):
            process.terminate()
        for process in (*machines, self.api):
            process.wait(LEAVE_SECONDS)

    def close(self) -> None:
        """Ends whatever is left."""
        for process in self.marked:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.sessions.kw["bind"].dispose()

    def _variables(self, **other: object) -> dict[str, str]:
        given = self.settings.model_dump(exclude_none=True, exclude_unset=True) | other
        return {f"DNA_{name.upper()}": str(value) for name, value in given.items()} | {"OMP_NUM_THREADS": "1"}

    def _start(self, name: str, command: list[str], variables: dict[str, str]) -> psutil.Popen:
        with (self.folder / f"{name}.log").open("ab") as log:
            environment = {**os.environ, **variables, MARK: self._mark}
            return psutil.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return bool(process.environ().get(MARK) == self._mark)
        except psutil.Error:
            return False


@contextmanager
def storm_rig(folder: Path) -> Iterator[Rig]:
    """A rig in an empty folder; its servers run, the rest is yet to be started. At the end nothing of it is left but the folder."""
    with ExitStack() as stack:
        disks = {name: stack.enter_context(disk) for name in ("artifacts", "one") if (disk := Disk.at(folder / name))}
        url = stack.enter_context(postgres(folder / "postgres", "dna"))
        upgrade(url)
        database = SparePostgres(url, folder / "postgres")
        redis = stack.enter_context(StormRedis(folder / "redis"))
        waits = {"database_url": url, "redis_url": redis.url, "artifacts_url": (folder / "artifacts").as_uri()} | WAITS
        proxy = stack.enter_context(lossy_proxy(url))
        rig = Rig(folder, Settings.model_validate(waits), database, redis, proxy, disks)
        try:
            yield rig
        finally:
            rig.close()
    database.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
