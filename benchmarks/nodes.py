"""What nodes that work cost PostgreSQL, and how many one server bears: everything a node asks it, by the node's own code, without an engine.

Each node has connections, duties, a step and a lease of its own, as a worker has; what an engine would say comes from a clock: progress and points,
as often as a worker reports them. What the server computes is counted in its processes, so it does not matter what else the machine does.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import torch
from sqlalchemy import text

from benchmarks import report
from dna_engine.events import Metric, Progress
from dna_engine.images.info import DIGITS
from dna_engine.spec import SearchSpec, resolve
from store import flow, line, searches, workers
from store.blobs import BlobStore
from store.claims import Claim
from store.embedded_postgres import postgres
from store.embedded_redis import redis_server
from store.migrate import upgrade
from store.session import Sessions, make_engine, make_sessions, transaction
from store.studies import Studies
from worker.app import make_app
from worker.devices import cpu
from worker.engines import Engines
from worker.lease import Lease
from worker.maintenance import Maintenance
from worker.settings import WorkerSettings
from worker.slot import Slot

#: Points of a series that an engine tells between two reports.
POINTS = 4
#: Longer than a node needs to have all its connections.
SETTLE_SECONDS = 6.0


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("nodes", torch.device("cpu"))
    rows = []
    with servers(16 * max(arguments.nodes) + 50) as (database_url, redis_url, folder):
        for count in arguments.nodes:
            settings = WorkerSettings(database_url=database_url, redis_url=redis_url, data_dir=folder)
            rows.append(measure(settings, count, arguments.seconds))
    report.print_table(
        [
            "nodes at work",
            "connections",
            "transactions/s of a node",
            "PostgreSQL's CPU, ms each",
            "of a node, ms a second",
            "a core bears, nodes",
            "report median, ms",
            "p99, ms",
        ],
        rows,
    )


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nodes", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[2, 4, 8], help="at work at once, a row each")
    parser.add_argument("--seconds", type=float, default=20.0, help="that are measured, once all work")
    return parser.parse_args(argv)


@contextlib.contextmanager
def servers(connections: int) -> Iterator[tuple[str, str, Path]]:
    """A PostgreSQL that lets so many in, a Redis, and a folder."""
    with tempfile.TemporaryDirectory(prefix="dna-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with postgres(folder / "postgres", "dna") as url:
            engine = make_engine(url, pool_size=1)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f"ALTER SYSTEM SET max_connections = {connections}"))
            engine.dispose()
        with postgres(folder / "postgres", "dna") as url, redis_server(folder / "redis") as redis_url:
            upgrade(url)
            yield url, redis_url, folder


@dataclass
class Node:
    """One node at a step, in threads of this process.

    Attributes:
        seconds: that each report took.
    """

    settings: WorkerSettings
    number: int
    seconds: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Until ``over``."""
        assert self.settings.database_url is not None
        engine = make_engine(self.settings.database_url, self.settings.database_timeouts)
        sessions = make_sessions(engine)
        slot = self._slot(sessions)
        claim = self._claim(slot)
        slot.current = claim.step_id
        with Maintenance(slot, make_app(self.settings)), Lease(sessions, self.settings, claim):
            done = 0
            while not self.over.wait(self.settings.report_seconds):
                done += 1
                began = time.perf_counter()
                self._report(sessions, claim, done)
                self.seconds.append(time.perf_counter() - began)
        slot.studies.close()
        engine.dispose()

    def _slot(self, sessions: Sessions) -> Slot:
        device = cpu()
        with transaction(sessions) as session:
            worker = workers.register(
                session,
                hostname=f"node{self.number}",
                pid=self.number,
                device="cuda:0",
                device_name=device.label,
                queues=["gpu"],
                versions={},
            )
        return Slot(
            settings=self.settings,
            sessions=sessions,
            blobs=BlobStore(self.settings.artifacts),
            engines=Engines([], {}),
            studies=Studies(self.settings.database_url or "", self.settings.database_timeouts),
            worker=worker,
            device=device,
        )

    def _claim(self, slot: Slot) -> Claim:
        """The first step of a search of its own."""
        spec = SearchSpec.model_validate({"dataset": DIGITS.name})
        with transaction(slot.sessions) as session:
            made = searches.create(session, spec, resolve(spec, DIGITS), max_attempts=3)
        while True:
            with transaction(slot.sessions) as session:
                waiting = line.next_step(session, "gpu")
                assert waiting is not None, made.id
                claim = flow.claim(session, waiting.id, slot.worker, lease_seconds=self.settings.lease_seconds)
                if claim is not None:
                    return claim

    def _report(self, sessions: Sessions, claim: Claim, done: int) -> None:
        said = [Metric(series="teacher/loss", x=POINTS * done + place, y=1 / done) for place in range(POINTS)]
        progress = Progress(done=done, total=100_000, unit="steps", eta_seconds=100.0)
        with transaction(sessions) as session:
            flow.report(session, claim, [*said, progress], engine_seconds=self.settings.report_seconds)


def measure(settings: WorkerSettings, count: int, seconds: float) -> list[str]:
    """A row of the table."""
    nodes = [Node(settings, number) for number in range(count)]
    threads = [threading.Thread(target=node.work) for node in nodes]
    for thread in threads:
        thread.start()
    time.sleep(SETTLE_SECONDS + 0.1 * count)
    server = Server(settings.database_url or "")
    for node in nodes:
        node.seconds.clear()
    before, began = server.look(), time.perf_counter()
    time.sleep(seconds)
    after, took = server.look(), time.perf_counter() - began
    for node in nodes:
        node.over.set()
    for thread in threads:
        thread.join()
    server.close()
    told = [1000 * one for node in nodes for one in node.seconds]
    transactions, computed = (after.transactions - before.transactions) / took, (after.cpu - before.cpu) / took
    return [
        str(count),
        f"{after.connections} ({after.connections / count:.1f} each)",
        f"{transactions / count:.1f}",
        f"{1000 * computed / transactions:.2f}",
        f"{1000 * computed / count:.1f}",
        f"{count / computed:.0f}",
        f"{statistics.median(told):.1f}",
        f"{statistics.quantiles(told, n=100)[-1]:.1f}",
    ]


@dataclass(frozen=True)
class Look:
    """Since it was started: transactions, and seconds computed; connections at this moment, but for that of who looks."""

    transactions: int
    cpu: float
    connections: int


class Server:
    """Of a PostgreSQL on this machine, what it has done."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
        self._postmaster = psutil.Process(backend).parent()

    def look(self) -> Look:
        with self._engine.connect() as connection:
            counted = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
            transactions = connection.execute(text(counted)).scalar_one()
            others = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
            connections = connection.execute(text(others)).scalar_one()
        return Look(transactions, self._cpu(), connections)

    def close(self) -> None:
        self._engine.dispose()

    def _cpu(self) -> float:
        """Of all its processes; those that have ended count with the postmaster."""
        assert self._postmaster is not None
        times = [self._postmaster.cpu_times()]
        for child in self._postmaster.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                times.append(child.cpu_times())
        return float(sum(one.user + one.system for one in times) + times[0].children_user + times[0].children_system)


if __name__ == "__main__":
    main()
