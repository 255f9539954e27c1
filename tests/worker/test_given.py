"""A search that begins with the teacher of another: its files are laid down, and missed where they are gone."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from store import artifacts
from store.artifacts import StoredFile
from store.session import transaction
from store.states import JobState, StepState
from store.tables import Job
from tests.store.builders import new_search
from tests.store.test_trainings import TEACHER
from tests.worker.conftest import Bench
from worker.slot import Slot


@pytest.fixture
def bench(slot: Slot) -> Bench:
    def make(session: Session, *, max_attempts: int) -> Job:
        source = new_search(session)
        written = [StoredFile(name, slot.blobs.write(io.BytesIO(name.encode()))) for name in TEACHER]
        artifacts.record(session, source.id, written)
        return new_search(session, max_attempts=max_attempts, teacher={"from": str(source.id)})

    return Bench(slot, make)


def test_it_lies_in_the_run_folder_before_the_step_begins(bench: Bench) -> None:
    assert bench.run("good").state == StepState.SUCCEEDED
    run: Path = bench.slot.settings.data_dir / "runs" / str(bench.job_id)
    assert (run / "given.safetensors").read_text() == "teacher.safetensors"
    assert (run / "given.json").read_text() == "teacher.json"
    assert sorted(bench.files) == ["given.json", "given.safetensors", "teacher.json", "teacher.safetensors"]


def test_where_it_is_gone_the_search_fails_once_and_names_it(bench: Bench) -> None:
    with transaction(bench.slot.sessions) as session:
        artifacts.remove(session, bench.job_id, "given.json")
    assert bench.run("good").state == StepState.FAILED
    assert bench.job.state == JobState.FAILED
    assert bench.job.error is not None
    assert "needs given.json" in bench.job.error["message"]
