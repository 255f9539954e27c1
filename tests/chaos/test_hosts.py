"""Two machines and an S3: one is cut off from the others for longer than a lease, and comes back; no work is kept twice, none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import make_url, select

from dna_engine.plans import Kind
from store.blobs import BlobStore
from store.session import transaction
from store.settings import Settings
from store.states import AttemptOutcome, StepState
from store.tables import Attempt, Step, Worker
from tests.chaos.conftest import Book
from tests.chaos.hosts import Host, Place, two_hosts
from tests.chaos.test_killed import ratings_of, stored, stored_progress, uninterrupted
from tests.e2e.service import Machine, alive, machine, wait_for

EPOCHS = 6


@pytest.fixture
def remote(impatient: Settings, s3: Any) -> Settings:
    """Files are kept in the S3. A server that does not answer is given up soon, and a transaction of who is cut off in the middle of it."""
    waits = {f"database_{name}_seconds": 2.0 for name in ("connect", "statement", "idle")}
    return Settings.model_validate(impatient.model_dump() | waits | {"artifacts_url": "s3://sets/artifacts"})


@pytest.fixture
def far(sessions: Any, remote: Settings) -> Book:
    return Book(sessions, BlobStore(remote.artifacts))


@pytest.fixture
def hosts(remote: Settings, s3_server: str) -> Iterator[list[Host]]:
    servers = {"postgres": _place(remote.database_url), "redis": _place(remote.redis_url), "s3": _place(s3_server)}
    with two_hosts(servers) as hosts:
        yield hosts


def _place(url: str | None) -> Place:
    """Where a server listens."""
    parsed = make_url(url or "")
    folder = parsed.query.get("host")
    return f"{folder}/.s.PGSQL.{parsed.port or 5432}" if folder else (parsed.host or "127.0.0.1", parsed.port or 5432)


def seen_from(host: Host, settings: Settings, folder: Path) -> Settings:
    """What a worker on that host is told: its own data folder, and the way to the servers."""
    database = make_url(settings.database_url or "")
    query = {name: value for name, value in database.query.items() if name != "host"}
    reached = {name: {"host": host.address, "port": port} for name, port in host.ports.items()}
    urls = {
        "database_url": database.set(query=query, **reached["postgres"]).render_as_string(hide_password=False),
        "redis_url": make_url(settings.redis_url or "").set(**reached["redis"]).render_as_string(hide_password=False),
    }
    return Settings.model_validate(settings.model_dump() | urls | {"data_dir": folder})


def holder(book: Book, job_id: UUID, machines: list[Machine]) -> tuple[int, Step]:
    """The machine that distils at this moment, and its step."""
    with transaction(book.sessions) as session:
        running = select(Step).where(Step.job_id == job_id, Step.kind == Kind.DISTILL, Step.state == StepState.RUNNING)
        step = session.scalars(running.order_by(Step.id)).first()
        assert step is not None
        worker = session.get_one(Worker, step.lease_owner)
    return next(place for place, one in enumerate(machines) if worker.pid in {node.pid for node in one.nodes}), step


def outcomes(book: Book, job_id: UUID) -> dict[str, Counter[AttemptOutcome]]:
    """How the attempts at each step ended."""
    found: dict[str, Counter[AttemptOutcome]] = {}
    with transaction(book.sessions) as session:
        ended = select(Step.key, Attempt.outcome).join(Step, Step.id == Attempt.step_id).where(Attempt.job_id == job_id)
        for key, outcome in session.execute(ended):
            found.setdefault(key, Counter())[outcome] += 1
    return found


def test_one_that_is_cut_off_loses_its_step_and_takes_others_when_it_is_back(
    far: Book, remote: Settings, hosts: list[Host], tmp_path: Path
) -> None:
    search_id = far.add(training={"epochs": EPOCHS})
    often = {"DNA_CHECKPOINT_SECONDS": "0.2", "OMP_NUM_THREADS": "1"}
    with ExitStack() as stack:
        machines = [
            stack.enter_context(
                machine(
                    seen_from(host, remote, tmp_path / f"host{number}"),
                    queues="gpu",
                    at=host.prefix,
                    AWS_ENDPOINT_URL=f"http://{host.address}:{host.ports['s3']}",
                    **often,
                )
            )
            for number, host in enumerate(hosts)
        ]
        wait_for(lambda: stored_progress(far, search_id, tmp_path) > 0)
        place, step = holder(far, search_id, machines)
        engines = machines[place].engines
        hosts[place].cut()
        wait_for(lambda: (now := far.step(search_id, step.key)) is not None and now.fence > step.fence)
        wait_for(
            lambda: not any(alive(engine) for engine in engines)
        )  # Though nobody can tell it that the step is another's.
        hosts[place].heal()
        wait_for(lambda: far.step(search_id, Kind.SELECT) is not None)
    ended = outcomes(far, search_id)
    assert ended[step.key][AttemptOutcome.LOST] == 1
    assert {key for key, counted in ended.items() if counted[AttemptOutcome.SUCCEEDED] != 1} == set()
    rated = stored(far, search_id, ratings_of(far.spec(search_id)))
    assert rated == uninterrupted(far, search_id, tmp_path / "alone")
    assert {path.name for path in tmp_path.iterdir()} >= {"host0", "host1"}
