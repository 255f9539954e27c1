"""A training on several devices: the real engine, ``torchrun`` and two processes on the CPU, under a real supervisor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from dna_engine.plans.steps import device_queues
from dna_engine.runtime import checkpoint
from dna_engine.spec import TrainingSpec, resolve_training
from store import architectures, events, flow, trainings
from store.session import transaction
from store.states import EventType, JobState, StepState
from store.tables import Job
from tests.dna_engine.runs import TINY_NETWORK
from tests.store.builders import new_search, next_id
from tests.worker.conftest import Bench
from worker.devices import Device
from worker.settings import WorkerSettings
from worker.slot import Slot, open_slot
from worker.supervisor import supervise

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def slot(worker_settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slot]:
    """With the engine itself, on a processor that two processes share."""
    monkeypatch.setenv("DNA_CHECKPOINT_SECONDS", "0.2")
    patient = worker_settings.model_copy(update={"stop_grace_seconds": 60.0, "report_seconds": 0.3})
    with open_slot(patient, Device("cpu", "A processor", 2), device_queues(2)) as slot:
        yield slot


def tiny_training(session: Session, *, max_attempts: int, epochs: int) -> Job:
    """Of two processes, on the digits."""
    search = flow.cancel(session, new_search(session).id)
    network = architectures.select_network(session, search.id, TINY_NETWORK.to_json(), loss=0.5, flops=1, params=1)
    asked = {"architecture": str(network.id), "dataset": "digits", "epochs": epochs, "batch_size": 128, "devices": 2}
    spec = TrainingSpec.model_validate(asked)
    resolved = resolve_training(spec, TINY_NETWORK, DIGITS)
    made = trainings.create(session, spec, resolved, network, max_attempts=max_attempts)
    return session.get_one(Job, made.job_id)


def bench_of(slot: Slot, epochs: int) -> Bench:
    return Bench(slot, lambda session, max_attempts: tiny_training(session, max_attempts=max_attempts, epochs=epochs))


@contextmanager
def attempt(bench: Bench) -> Iterator[None]:
    """Supervises the step; when it has ended nothing is left of what ran for it."""
    thread = threading.Thread(target=lambda: supervise(bench.slot, bench.claim()))
    thread.start()
    yield
    thread.join(200.0)
    assert not thread.is_alive()
    assert working(bench) == []
    assert not (run_folder(bench) / ".torchrun").exists()


def run_folder(bench: Bench) -> Path:
    return bench.slot.settings.data_dir / "runs" / str(bench.job_id)


def working(bench: Bench) -> list[list[str]]:
    """What runs for the job on this machine, whoever has started it."""
    folder = str(run_folder(bench))
    return [found for process in psutil.process_iter(["cmdline"]) if folder in (found := process.info["cmdline"] or [])]


def member(bench: Bench, rank: int) -> psutil.Process:
    [found] = (
        process
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] in working(bench) and process.environ().get("LOCAL_RANK") == str(rank)
    )
    return found


def progress(bench: Bench) -> list[dict[str, Any]]:
    with transaction(bench.slot.sessions) as session:
        told = events.after(session, bench.job_id, 0)
    return [event.data for event in told if event.type == EventType.PROGRESS]


def test_it_is_trained_by_two_and_goes_on_whatever_becomes_of_them(slot: Slot, wait_for: Wait) -> None:
    """That such a training comes to its end is the engine's matter: ``tests/dna_engine/training/test_together.py``."""
    bench = bench_of(slot, epochs=10_000)
    with transaction(slot.sessions) as session:
        assert next_id(session, "gpu") is None
        assert next_id(session, "gpu2") == bench.step.id
    with attempt(bench):
        wait_for(lambda: "checkpoints/train.safetensors" in bench.files)
        assert len(working(bench)) == 3, "torchrun and the two"
        member(bench, 1).kill()
    assert (bench.step.state, bench.step.attempt) == (StepState.QUEUED, 1)
    error = bench.step.error or {}
    assert error["code"] == "process_lost"
    assert "One of the 2 processes of train ended" in error["message"]
    assert "Signal 9 (SIGKILL)" in error["message"], "torchrun's own words"

    file, before = run_folder(bench) / "checkpoints/train.safetensors", len(progress(bench))
    kept = checkpoint.load(file)
    with attempt(bench):
        wait_for(lambda: len(progress(bench)) > before)
        with transaction(slot.sessions) as session:
            flow.cancel(session, bench.job_id)
    assert (bench.step.state, bench.job.state) == (StepState.CANCELLED, JobState.CANCELLED)
    again = checkpoint.load(file)
    assert kept is not None
    assert again is not None
    assert 0 < kept["step"] < progress(bench)[before]["done"] <= again["step"], "from the checkpoint on, to another"
