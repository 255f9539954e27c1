"""In the middle of a search a backup is taken, and the service is upgraded. Here the search goes on to its ratings; and from the backup, in another
database with other files, to the same ones to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import select

from dna_engine import pipeline
from dna_engine.plans import Kind, Phase, plan_of
from store.__main__ import main
from store.blobs import BlobStore
from store.session import Sessions, make_engine, make_sessions, transaction
from store.settings import Settings
from store.states import AttemptOutcome
from store.tables import Attempt
from tests.chaos.conftest import Book
from tests.chaos.test_killed import CHECKPOINT, EPOCHS, ratings_of, stored, stored_progress
from tests.dna_engine.runs import context
from tests.e2e.service import wait_for
from tests.store.builders import queued, schema_is_current

ROOT = Path(__file__).parents[2]


class Compose:
    """A service whose processes deploy/upgrade.sh starts and stops, by a ``docker`` that is played."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        docker = folder / "bin/docker"
        docker.parent.mkdir()
        docker.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "tests/chaos/compose.py"} "$@"\n')
        docker.chmod(0o755)
        given = settings.model_dump(exclude_none=True, exclude_unset=True)
        variables = {f"DNA_{name.upper()}": str(value) for name, value in given.items()}
        path = f"{docker.parent}:{os.environ['PATH']}"
        often = {"DNA_CHECKPOINT_SECONDS": "0.2", "DNA_DEVICE": "cpu"}
        self._environment = {**os.environ, **variables, **often, "COMPOSE_STATE": str(folder), "PATH": path}
        self._folder = folder

    def run(self, *command: str) -> None:
        subprocess.run(command, env=self._environment, check=True, cwd=ROOT)

    @property
    def calls(self) -> list[str]:
        return (self._folder / "calls").read_text().splitlines()

    def halt(self) -> None:
        """Its engine does nothing until it is told to stop: however long the machine takes, the step is in the middle."""
        worker = psutil.Process(int((self._folder / "worker").read_text()))
        [engine] = [child for child in worker.children(recursive=True) if "dna_engine" in child.cmdline()]
        engine.suspend()


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[Compose]:
    folder.mkdir()
    compose = Compose(settings, folder)
    compose.run("docker", "compose", "up", "-d", "--wait", "worker")
    try:
        yield compose
    finally:
        if (folder / "worker").exists():
            compose.run("docker", "compose", "stop", "worker")


def from_the_backup(book: Book, search_id: UUID, run: Path) -> dict[str, bytes]:
    """The ratings by the engine alone, which finds what is stored there, the checkpoint too."""
    spec = book.spec(search_id)
    (run / "checkpoints").mkdir(parents=True)
    (run / "spec.json").write_text(spec.model_dump_json())
    for name, content in stored(book, search_id, ["teacher.safetensors", "teacher.json", CHECKPOINT]).items():
        (run / name).write_bytes(content)
    for phase in (Phase.DISTILL, Phase.RATE):
        [step] = plan_of(spec).steps(phase)
        pipeline.run_step(spec, step, context(run)[0])
    return {name: (run / name).read_bytes() for name in ratings_of(spec)}


@pytest.fixture
def patient(settings: Settings) -> Settings:
    """Nobody misses an engine that is halted."""
    return settings.model_copy(update={"lease_seconds": 900.0})


@pytest.fixture
def elsewhere(empty_database_url: str) -> Iterator[Sessions]:
    engine = make_engine(empty_database_url)
    yield make_sessions(engine)
    engine.dispose()


def test_a_search_goes_on_behind_an_upgrade_and_from_a_backup(
    book: Book,
    patient: Settings,
    elsewhere: Sessions,
    empty_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    search_id = book.add(training={"epochs": EPOCHS})
    assert patient.database_url is not None
    with running(patient, tmp_path / "compose") as compose:
        wait_for(lambda: stored_progress(book, search_id, tmp_path) > 0)
        compose.halt()
        monkeypatch.setenv("DNA_DATABASE_URL", patient.database_url)
        monkeypatch.setenv("DNA_ARTIFACTS_URL", patient.artifacts)
        assert main(["backup", str(tmp_path / "backups")]) == 0
        upgrade(compose, patient.database_url, book, search_id)
        wait_for(lambda: book.step(search_id, Kind.SELECT) is not None)  # Nobody here selects.
    rated = stored(book, search_id, ratings_of(book.spec(search_id)))

    monkeypatch.setenv("DNA_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("DNA_ARTIFACTS_URL", (tmp_path / "elsewhere").as_uri())
    assert main(["restore", str(tmp_path / "backups")]) == 0
    there = Book(elsewhere, BlobStore((tmp_path / "elsewhere").as_uri()))
    with transaction(elsewhere) as session:
        [step] = queued(session, there.search(search_id))
    assert (step.key, step.attempt) == ("distill-1", 0)
    assert 0 < stored_progress(there, search_id, tmp_path) < book.spec(search_id).training.epochs * 23
    assert from_the_backup(there, search_id, tmp_path / "alone") == rated


def upgrade(compose: Compose, database_url: str, book: Book, search_id: UUID) -> None:
    """The worker gives its step back, the schema is another and then this version's, and a new worker begins."""
    compose.run("deploy/upgrade.sh")
    assert schema_is_current(database_url)
    with transaction(book.sessions) as session:
        outcomes = session.scalars(
            select(Attempt.outcome).where(Attempt.job_id == search_id).order_by(Attempt.id)
        ).all()
    assert AttemptOutcome.RELEASED in outcomes
    assert not {AttemptOutcome.LOST, AttemptOutcome.FAILED} & set(outcomes)
    asked = [call.removeprefix("compose ") for call in compose.calls[1:]]
    assert asked == ["config --services", "build", "stop worker", "run --rm migrate", "up -d --wait api worker"]
