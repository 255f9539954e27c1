"""A slot on a database of its own, with a search whose first step waits, and an actor in the engine's place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from store import flow, searches, steps
from store.claims import Claim
from store.session import transaction
from store.settings import Settings
from store.tables import Artifact, Search, Step
from tests.store.builders import new_search
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
    """One search, and what to do with its steps."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        with transaction(slot.sessions) as session:
            self.search_id = new_search(session, max_attempts=2).id

    @property
    def search(self) -> Search:
        with transaction(self.slot.sessions) as session:
            return searches.get(session, self.search_id)

    @property
    def step(self) -> Step:
        """The first step."""
        with transaction(self.slot.sessions) as session:
            return steps.of_job(session, self.search_id)[0]

    @property
    def files(self) -> dict[str, Artifact]:
        """What is stored of it, by name."""
        with transaction(self.slot.sessions) as session:
            query = select(Artifact).where(Artifact.job_id == self.search_id).order_by(Artifact.name)
            return {artifact.name: artifact for artifact in session.scalars(query)}

    def claim(self, *, lease_seconds: float = 60.0) -> Claim:
        with transaction(self.slot.sessions) as session:
            claim = flow.claim(session, self.step.id, self.slot.worker, lease_seconds=lease_seconds)
        assert claim is not None
        return claim

    def run(self, role: str, claim: Claim | None = None) -> Step:
        """Claims the first step and has an actor play the engine; the step as it is then."""
        environment = {"DNA_DATASETS": str(self.slot.settings.datasets_dir)}
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
            sleep(0.02)

    return wait
