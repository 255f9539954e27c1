"""A training alone on a worker: as every job, by what was stored of it and nothing else."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from dna_engine.plans.files import cell_weights, checkpoint
from dna_engine.space import Op
from dna_engine.space.architecture import Architecture
from dna_engine.spec import ResolvedSpec, ResolvedTraining, TrainingSpec, resolve_training
from store import architectures, artifacts, flow, jobs, trainings, transfer
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.session import transaction
from store.states import JobState, StepState
from store.tables import Job, Training
from tests.store.builders import new_search, new_training
from tests.worker.conftest import Bench
from tests.worker.test_damaged import damage_stored
from tests.worker.test_supervisor import logged, supervised
from worker.cleanup import remove_run_folders
from worker.slot import Slot

Wait = Callable[[Callable[[], bool]], None]

TRAINED = ["network/architecture.json", "network/training.json", "network/weights.safetensors"]
EXPORTED = ["network/bundle.zip", "network/export.json", "network/model.onnx"]


@pytest.fixture
def bench(slot: Slot) -> Bench:
    return Bench(slot, new_training)


def run_folder(bench: Bench) -> Path:
    return bench.slot.settings.data_dir / "runs" / str(bench.job_id)


def tidy(bench: Bench) -> None:
    remove_run_folders(bench.slot.sessions, bench.slot.settings.data_dir)


def training(bench: Bench) -> Training:
    with transaction(bench.slot.sessions) as session:
        return trainings.get(session, bench.job_id)


def search_of(bench: Bench) -> UUID:
    """The search that found the network."""
    with transaction(bench.slot.sessions) as session:
        network = trainings.get(session, bench.job_id).architecture_id
        assert network is not None
        return architectures.get(session, network).search_id


def test_it_is_trained_and_exported_from_what_is_laid_down(bench: Bench) -> None:
    assert bench.run("good").state == StepState.SUCCEEDED
    spec = ResolvedTraining.model_validate_json((run_folder(bench) / "spec.json").read_text())
    assert spec == ResolvedTraining.model_validate(bench.job.resolved)
    assert list(bench.files) == TRAINED
    assert (bench.job.state, bench.job.phase, training(bench).test_accuracy) == (JobState.RUNNING, "export", 0.99)
    shutil.rmtree(run_folder(bench))  # Another machine.
    bench.run("good", bench.claim_next("cpu"))
    for name in TRAINED:
        assert (run_folder(bench) / name).read_text() == f"{name} of train"
    assert sorted(bench.files) == sorted([*TRAINED, *EXPORTED])
    assert (bench.job.state, bench.job.progress) == (JobState.SUCCEEDED, 1.0)
    assert [step.state for step in bench.job.steps] == [StepState.SUCCEEDED] * 2


def test_its_run_folder_stays_as_long_as_it_may_be_worked_on(bench: Bench) -> None:
    bench.run("good")
    tidy(bench)
    assert run_folder(bench).is_dir()
    bench.run("good", bench.claim_next("cpu"))
    tidy(bench)
    assert not run_folder(bench).exists()


def test_stopped_it_keeps_its_checkpoint_and_goes_on_from_there_elsewhere(bench: Bench, wait_for: Wait) -> None:
    with supervised(bench, "slow", wait_for):
        wait_for(lambda: bench.step.done >= 1)
        with transaction(bench.slot.sessions) as session:
            flow.cancel(session, bench.job_id)
    assert (bench.step.state, bench.job.state) == (StepState.CANCELLED, JobState.CANCELLED)
    tidy(bench)
    assert (run_folder(bench) / checkpoint("train")).is_file()
    kept = b"".join(bench.slot.blobs.read(artifacts.blob(bench.files[checkpoint("train")]))).decode()
    with transaction(bench.slot.sessions) as session:
        flow.resume(session, bench.job_id)
    shutil.rmtree(run_folder(bench))  # Another machine.
    assert bench.run("brisk").state == StepState.SUCCEEDED
    assert logged(bench)[-1] == f"from {kept}"
    assert list(bench.files) == TRAINED, "no checkpoint is left"


def test_it_goes_on_when_the_search_of_its_network_is_deleted(bench: Bench, wait_for: Wait) -> None:
    search_id = search_of(bench)
    with supervised(bench, "brisk", wait_for), transaction(bench.slot.sessions) as session:
        jobs.delete(session, search_id)
    assert bench.step.state == StepState.SUCCEEDED
    assert (training(bench).architecture_id, training(bench).test_accuracy) == (None, 0.99)
    bench.run("good", bench.claim_next("cpu"))
    assert bench.job.state == JobState.SUCCEEDED
    assert sorted(bench.files) == sorted([*TRAINED, *EXPORTED])


def inheriting(session: Session, blobs: BlobStore, *, max_attempts: int) -> Job:
    """A training that begins with the cells of a search, which are stored."""
    search = flow.cancel(session, new_search(session, teacher={"weights": "train"}, space="mbconv-small").id)
    resolved = ResolvedSpec.model_validate(search.resolved)
    stored = [StoredFile(name, blobs.write(io.BytesIO(name.encode()))) for name in cells_of(resolved)]
    artifacts.record(session, search.id, stored)
    choices = [(1, [op.name for op in layers]) for layers in first_ops(resolved)]
    described = Architecture.from_choices(resolved.parsed_space, choices, input_size=16)
    network = architectures.select_network(session, search.id, described.to_json(), loss=0.5, flops=1000, params=100)
    spec = TrainingSpec.model_validate({"architecture": str(network.id), "dataset": "digits", "start": "inherited"})
    made = trainings.create(
        session, spec, resolve_training(spec, described, DIGITS, resolved), network, max_attempts=max_attempts
    )
    return session.get_one(Job, made.job_id)


def cells_of(spec: ResolvedSpec) -> list[str]:
    return [cell_weights(cell) for cell in spec.parsed_space.cells]


def first_ops(spec: ResolvedSpec) -> list[list[Op]]:
    """The first op of each layer of the first cell of each block."""
    space = spec.parsed_space
    return [[space.layer_ops(layer)[0] for layer in range(block.cells[0].depth)] for block in space.blocks]


def test_the_cells_that_it_begins_with_are_laid_down_though_their_search_is_gone(slot: Slot) -> None:
    bench = Bench(slot, lambda session, max_attempts: inheriting(session, slot.blobs, max_attempts=max_attempts))
    with transaction(slot.sessions) as session:
        jobs.delete(session, search_of(bench))
    assert bench.run("good").state == StepState.SUCCEEDED
    spec = ResolvedTraining.model_validate(bench.job.resolved)
    names = [cell_weights(cell) for cell in spec.inherited_from]
    assert len(names) == len(spec.parsed_space.blocks)
    for name in names:
        assert (run_folder(bench) / name).read_text() == name


def test_damaged_cells_of_another_job_are_not_made_again(slot: Slot) -> None:
    bench = Bench(slot, lambda session, max_attempts: inheriting(session, slot.blobs, max_attempts=max_attempts))
    damage_stored(bench, ["cells/b1c1.safetensors"])
    assert bench.run("good").state == StepState.FAILED
    assert bench.job.error is not None
    assert "cells/b1c1.safetensors" in bench.job.error["message"]


def test_damaged_weights_are_trained_again(bench: Bench) -> None:
    bench.run("good")
    damage_stored(bench, ["network/weights.safetensors"])
    shutil.rmtree(run_folder(bench))  # Another machine.
    bench.run("good", bench.claim_next("cpu"))
    assert (bench.step.state, bench.job.phase, bench.job.state) == (StepState.QUEUED, "train", JobState.RUNNING)
    assert bench.run("good").state == StepState.SUCCEEDED
    bench.run("good", bench.claim_next("cpu"))
    assert bench.job.state == JobState.SUCCEEDED


def test_the_weights_that_it_begins_with_are_laid_down_though_their_training_is_gone(slot: Slot) -> None:
    before = Bench(slot, new_training)
    before.run("good")
    before.run("good", before.claim_next("cpu"))

    def begin(session: Session, *, max_attempts: int) -> Job:
        source = transfer.find(session, str(before.job_id))
        spec = TrainingSpec.model_validate({"dataset": "digits", "start": {"training": str(before.job_id)}})
        network = Architecture.from_json(source.weights.architecture)
        resolved = resolve_training(spec, network, DIGITS, None, source.weights)
        made = trainings.create(session, spec, resolved, None, max_attempts=max_attempts)
        transfer.share(session, source, made.id)
        return session.get_one(Job, made.job_id)

    bench = Bench(slot, begin)
    with transaction(slot.sessions) as session:
        jobs.delete(session, before.job_id)
    assert bench.run("good").state == StepState.SUCCEEDED
    assert (run_folder(bench) / "start.safetensors").read_text() == "network/weights.safetensors of train"
