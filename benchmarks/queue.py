"""What ten thousand queued jobs of many keys cost: claims of several workers at once, lists and counts, places in the queue, waking again.

The jobs are rows of the tables, the claims those of a node (``worker.node.Node``), the lists answers of the API in this process, without a network.
Claims are timed while others claim; each begins a job, so the queue stays about as long. Beside the time that passes stands that of the processor
which PostgreSQL took, which is its own whatever else the machine does.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import torch
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.app import create_app
from api.settings import ApiSettings
from benchmarks import report
from benchmarks.nodes import Server
from dna_engine.images.info import DIGITS
from dna_engine.spec import SearchSpec, resolve
from store import keys, line, preemption, searches, steps, waiting, workers
from store.blobs import BlobStore
from store.embedded import embedded_servers
from store.limits import Limits
from store.migrate import upgrade
from store.session import Sessions, make_engine, make_sessions, transaction
from store.studies import Studies
from worker.app import make_app
from worker.devices import cpu
from worker.engines import Engines
from worker.node import Node
from worker.settings import WorkerSettings
from worker.slot import Slot

#: A tenth of the keys may run one job at once, and run it: nothing else of theirs can be claimed.
HELD = 10

#: Claims before any is timed: as on a node that runs, statements are prepared and pages in memory.
WARM = 20

#: As rows of a job and its first step: the jobs of each key are made one after the other.
_COPIES = """
    CREATE TEMPORARY TABLE copies AS SELECT n, uuidv7() AS id, k.id AS key_id
        FROM generate_series(1, :count) n JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM api_keys) k ON k.place = n * :keys / (:count + 1);
    INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object('id', c.id, 'name', 'search ' || c.n, 'key_id', c.key_id))).*
        FROM copies c, jobs j WHERE j.id = :model;
    INSERT INTO searches (id) SELECT id FROM copies;
    INSERT INTO steps SELECT (jsonb_populate_record(s, jsonb_build_object('id', uuidv7(), 'job_id', c.id, 'share_id', c.key_id,
        'queued_at', s.queued_at - interval '1 hour', 'available_at', s.available_at - interval '1 hour', 'woken_at', s.woken_at - interval '1 hour'))).*
        FROM copies c, steps s WHERE s.job_id = :model;
    INSERT INTO shares SELECT id, random() FROM api_keys;
    DELETE FROM jobs WHERE id = :model;
    UPDATE jobs SET state = 'running' WHERE id IN (SELECT DISTINCT ON (key_id) jobs.id FROM jobs JOIN api_keys key ON key.id = key_id
        WHERE key.limits ? 'running_jobs' ORDER BY key_id, jobs.id);
    UPDATE steps SET state = 'succeeded' FROM jobs WHERE jobs.id = steps.job_id AND jobs.state = 'running';
    DELETE FROM outbox;
"""


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("queue", torch.device("cpu"))
    with filled(arguments.jobs, arguments.keys) as (settings, key):
        server = Server(settings.database_url or "")
        rows = [claims(settings, server, count, arguments.claims) for count in arguments.workers]
        rows += [row(name, ask, server, arguments.rounds) for name, ask in asked(settings, key)]
        server.close()
    print(f"{arguments.jobs:,} queued jobs of {arguments.keys} keys, {arguments.rounds} rounds\n")
    report.print_table(["asked", "median, ms", "p99, ms", "PostgreSQL's CPU, ms"], rows)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="that are queued")
    parser.add_argument("--keys", type=int, default=100, help="that they are of")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4], help="that claim at once, a row each")
    parser.add_argument("--claims", type=int, default=100, help="of each worker")
    parser.add_argument("--rounds", type=int, default=30, help="of everything else")
    return parser.parse_args(argv)


@contextmanager
def filled(jobs: int, count: int) -> Iterator[tuple[WorkerSettings, str]]:
    """Servers with so many queued jobs, as settled as those of a service that has run for long; and a key that sees all of them."""
    with (
        tempfile.TemporaryDirectory(prefix="dna-bench-", ignore_cleanup_errors=True) as folder,
        embedded_servers(Path(folder)) as servers,
    ):
        upgrade(servers.database_url)
        engine = make_engine(servers.database_url, pool_size=1)
        with transaction(make_sessions(engine)) as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            key = _populate(session, jobs, count)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
        engine.dispose()
        yield (
            WorkerSettings(database_url=servers.database_url, redis_url=servers.redis_url, data_dir=Path(folder)),
            key,
        )


def _populate(session: Session, count: int, of_keys: int) -> str:
    made = [
        keys.create(session, f"key {place}", limits=Limits(running_jobs=None if place % HELD else 1), project="all")
        for place in range(of_keys)
    ]
    spec = SearchSpec.model_validate({"dataset": DIGITS.name})
    model = searches.create(session, spec, resolve(spec, DIGITS), max_attempts=3)
    model.key_id, model.project_id = made[0][0].id, made[0][0].project_id
    session.flush()
    for statement in _COPIES.split(";\n")[:-1]:
        session.execute(text(statement), {"count": count, "keys": of_keys, "model": model.id})
    return made[1][1]


def claims(settings: WorkerSettings, server: Server, count: int, each: int) -> list[str]:
    """A row of the table: whole claims, by the code of a node, each in a process of its own as nodes are."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count + 1)
    with ProcessPoolExecutor(count, context, initializer=_start_together, initargs=(barrier,)) as pool:
        working = [pool.submit(_claim, settings.model_dump(), number, each) for number in range(count)]
        before = server.look().cpu
        barrier.wait()
        took = [one for work in working for one in work.result()]
        time.sleep(1.0)  # Servers of connections that are closed count when they have ended.
        computed = server.look().cpu - before
    return _row(f"claims, {count} at once" if count > 1 else "claims, one worker", took, computed)


def _start_together(barrier: Barrier) -> None:
    _begin.append(barrier)


#: Of a process that claims: where it waits until all are ready.
_begin: list[Barrier] = []


def _claim(settings: dict[str, Any], number: int, each: int) -> list[float]:
    """Milliseconds that claims took."""
    read = WorkerSettings.model_validate(settings)
    engine = make_engine(read.database_url or "", read.database_timeouts, pool_size=2)
    sessions = make_sessions(engine)
    node = Node(_slot(read, sessions, number), make_app(read), f"node{number}")
    gc.freeze()  # As a node that runs.
    with transaction(sessions) as session:
        assert line.waits(session, "gpu")
    took = []
    for place in range(WARM + each):
        if place == WARM:
            _begin[0].wait()
        began = time.perf_counter()
        claim = node._claim("gpu")
        took.append(1000 * (time.perf_counter() - began))
        assert claim is not None
    engine.dispose()
    return took[WARM:]


def _slot(settings: WorkerSettings, sessions: Sessions, number: int) -> Slot:
    with transaction(sessions) as session:
        worker = workers.register(
            session, hostname=f"node{number}", pid=number, device="cuda:0", device_name="GPU", queues=["gpu"], versions={}
        )  # fmt: skip
    return Slot(
        settings=settings,
        sessions=sessions,
        blobs=BlobStore(settings.artifacts),
        engines=Engines([], {}),
        studies=Studies(settings.database_url or "", settings.database_timeouts),
        worker=worker,
        device=cpu(),
    )


def asked(settings: WorkerSettings, key: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Everything else that is asked of a long queue."""
    engine = make_engine(settings.database_url or "", settings.database_timeouts, pool_size=1)
    sessions = make_sessions(engine)
    gc.freeze()  # As nodes and servers that run.

    def within(work: Callable[[Session], object]) -> Callable[[], object]:
        def ask() -> None:
            with transaction(sessions) as session:
                work(session)

        return ask

    yield "the next step alone", within(lambda session: line.next_step(session, "gpu"))
    yield (
        "whether a step is to give way",
        within(lambda session: preemption.make_way(session, patience=timedelta(seconds=1))),
    )
    yield "in which queues something can be claimed", within(steps.waited_in)
    yield "waking what may have been lost", within(lambda session: steps.rewake(session, ["gpu"], after=timedelta(0)))
    yield "places of all jobs", within(lambda session: waiting.look(session, live_within=timedelta(days=1)))
    api = ApiSettings(database_url=settings.database_url, redis_url=settings.redis_url, data_dir=settings.data_dir)
    with TestClient(create_app(api), headers={"authorization": f"Bearer {key}"}) as client:
        gc.freeze()
        some = client.get("/searches", params={"state": "queued", "limit": 1}).json()["items"][0]["id"]
        for path in ("/searches", "/searches?state=queued&limit=100", "/searches/counts", f"/searches/{some}"):
            yield f"GET {path.replace(some, '{id}')}", partial(client.get, path)
    engine.dispose()


def row(name: str, ask: Callable[[], object], server: Server, rounds: int) -> list[str]:
    """A row of the table."""
    took = []
    before = server.look().cpu
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    return _row(name, took, server.look().cpu - before)


def _row(name: str, took: Sequence[float], computed: float) -> list[str]:
    last = statistics.quantiles(took, n=100)[-1] if len(took) > 1 else took[0]
    return [name, f"{statistics.median(took):.1f}", f"{min(last, max(took)):.1f}", f"{1000 * computed / len(took):.1f}"]


if __name__ == "__main__":
    main()
