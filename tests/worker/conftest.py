"""A slot on a database of its own, with a job whose first step waits, and an actor in the engine's place."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from dna_engine.plans import Kind
from store import flow
from store.claims import Claim
from store.session import transaction
from store.settings import Settings
from store.tables import Artifact, Job, Step
from tests.store.builders import new_search, next_id, values_of
from worker.devices import Device
from worker.engines import Engines
from worker.settings import WorkerSettings
from worker.slot import Slot, open_slot
from worker.supervisor import supervise

ACTOR = Path(__file__).with_name("actor.py")


@pytest.fixture
def worker_settings(settings: Settings) -> WorkerSettings:
    return WorkerSettings.model_validate(settings.model_dump() | {"stop_grace_seconds": 1.5, "report_seconds": 0.05})


class Stage(Device):
    """A device on which actors wait in the engine's place."""

    @property
    def engine_command(self) -> list[str]:
        return [sys.executable, str(ACTOR), "good"]


@pytest.fixture
def slot(worker_settings: WorkerSettings) -> Iterator[Slot]:
    with open_slot(worker_settings, Stage("cpu", "A processor"), ["gpu"]) as slot:
        yield slot


class Bench:
    """One job, a search unless another is made, and what to do with its steps."""

    def __init__(self, slot: Slot, make: Callable[..., Job] = new_search) -> None:
        self.slot = slot
        with transaction(slot.sessions) as session:
            self.job_id = make(session, max_attempts=2).id

    @classmethod
    def of(cls, slot: Slot, job_id: UUID) -> Bench:
        """Of a job that was made otherwise."""
        bench = cls.__new__(cls)
        bench.slot, bench.job_id = slot, job_id
        return bench

    @property
    def job(self) -> Job:
        with transaction(self.slot.sessions) as session:
            return session.get_one(Job, self.job_id, options=[selectinload(Job.steps)])

    @property
    def step(self) -> Step:
        """The first step."""
        return self.job.steps[0]

    @property
    def files(self) -> dict[str, Artifact]:
        """What is stored of it, by name."""
        with transaction(self.slot.sessions) as session:
            query = select(Artifact).where(Artifact.job_id == self.job_id).order_by(Artifact.name)
            return {artifact.name: artifact for artifact in session.scalars(query)}

    def claim(self, *, lease_seconds: float = 60.0) -> Claim:
        with transaction(self.slot.sessions) as session:
            claim = flow.claim(session, self.step.id, self.slot.worker, lease_seconds=lease_seconds)
        assert claim is not None
        return claim

    def claim_next(self, queue: str = "gpu") -> Claim:
        """What a worker of the queue would take: of this job, or of another."""
        with transaction(self.slot.sessions) as session:
            step_id = next_id(session, queue)
            assert step_id is not None
            claim = flow.claim(session, step_id, self.slot.worker, lease_seconds=60)
        assert claim is not None
        return claim

    def run(self, role: str, claim: Claim | None = None) -> Step:
        """Claims the first step and has an actor play the engine; the step as it is then."""
        found = {kind: values_of(kind) for kind in (Kind.TRAIN, Kind.EXPORT)}
        environment = {"DNA_DATASETS": str(self.slot.settings.datasets_dir), "ACTOR_FOUND": json.dumps(found)}
        with Engines([sys.executable, str(ACTOR), role], environment) as self.slot.engines:
            supervise(self.slot, claim or self.claim())
        return self.step


@pytest.fixture
def bench(slot: Slot) -> Bench:
    return Bench(slot)


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Waits until something holds; a minute is more than any machine needs."""
    from time import monotonic, sleep

    def wait(holds: Callable[[], bool]) -> None:
        deadline = monotonic() + 60.0
        while not holds():
            assert monotonic() < deadline
            sleep(0.05)

    return wait
