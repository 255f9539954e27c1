"""A damaged file on this disk or in the store: whatever is whole is gone on from, and nothing is tried in vain."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from dna_engine.checkpoint_file import check, digest
from dna_engine.errors import DamagedCheckpoint
from store import artifacts
from store.claims import Claim
from store.session import transaction
from store.states import JobState, StepState
from tests.worker.conftest import Bench
from worker.checkpoints import Checkpoints
from worker.run_folder import RunFolder

LAST, BEFORE = "checkpoints/teacher.safetensors", "checkpoints/teacher.before.safetensors"


def checkpoint_file(number: int) -> bytes:
    """A checkpoint without tensors, as the engine writes it."""
    structure = f'{{"dict": [["done", {number}]]}}'
    header = f'{{"__metadata__": {{"structure": {structure!r}, "sha256": "{digest(structure, ())}"}}}}'
    header = header.replace(repr(structure), '"' + structure.replace('"', '\\"') + '"')
    return struct.pack("<Q", len(header)) + header.encode()


@pytest.fixture
def claim(bench: Bench) -> Claim:
    return bench.claim()


@pytest.fixture
def folder(bench: Bench, claim: Claim) -> RunFolder:
    """Three checkpoints were written and stored one after another."""
    folder = RunFolder(bench.slot.settings.data_dir, claim, bench.slot.blobs)
    place(folder).parent.mkdir(parents=True)
    for number in (1, 2, 3):
        if place(folder).exists():
            place(folder).replace(place(folder, BEFORE))
        place(folder).write_bytes(checkpoint_file(number))
        with Checkpoints(bench.slot.sessions, bench.slot.blobs, folder, claim) as checkpoints:
            checkpoints.written()
    return folder


def place(folder: RunFolder, name: str = LAST) -> Path:
    return folder.path / name


def damage_stored(bench: Bench, names: Sequence[str]) -> None:
    with transaction(bench.slot.sessions) as session:
        found = artifacts.named(session, bench.job_id, names)
    for artifact in found.values():
        (bench.slot.settings.data_dir / "artifacts" / artifact.location).write_bytes(b"garbage")


def readable(folder: RunFolder) -> list[int]:
    """The numbers of the checkpoints that the engine would find, in the order in which it looks."""
    found = []
    for name in (LAST, BEFORE):
        try:
            check(place(folder, name))
        except DamagedCheckpoint:
            continue
        found += [number for number in (1, 2, 3) if place(folder, name).read_bytes() == checkpoint_file(number)]
    return found


def test_two_generations_are_stored(bench: Bench, folder: RunFolder) -> None:
    found = bench.files
    content = {name: b"".join(bench.slot.blobs.read(artifacts.blob(found[name]))) for name in found}
    assert content == {LAST: checkpoint_file(3), BEFORE: checkpoint_file(2)}


@pytest.mark.parametrize("damage", [b"", b"garbage", checkpoint_file(4)[:-5]])
def test_a_damaged_local_one_gives_way_to_the_stored(
    bench: Bench, claim: Claim, folder: RunFolder, damage: bytes
) -> None:
    place(folder).write_bytes(damage)  # It is newer than the stored one.
    assert folder.lay_down(bench.slot.sessions, claim) == []
    assert readable(folder)[0] == 3


def test_a_newer_local_one_stays(bench: Bench, claim: Claim, folder: RunFolder) -> None:
    place(folder).write_bytes(checkpoint_file(4))
    folder.lay_down(bench.slot.sessions, claim)
    assert place(folder).read_bytes() == checkpoint_file(4)


def test_a_damaged_stored_one_gives_way_to_the_one_before(bench: Bench, claim: Claim, folder: RunFolder) -> None:
    for name in (LAST, BEFORE):
        place(folder, name).unlink()  # Another machine.
    damage_stored(bench, [LAST])
    [warning] = folder.lay_down(bench.slot.sessions, claim)
    assert warning.startswith(f"The stored file {LAST} of the job cannot be used.")
    assert readable(folder) == [2]


def test_when_all_are_damaged_the_step_starts_again_and_says_so(bench: Bench, claim: Claim, folder: RunFolder) -> None:
    for name in (LAST, BEFORE):
        place(folder, name).write_bytes(b"garbage")
    damage_stored(bench, [LAST, BEFORE])
    warnings = folder.lay_down(bench.slot.sessions, claim)
    assert warnings[-1] == "No checkpoint of teacher can be read: it starts from the beginning."
    assert readable(folder) == []
    step = bench.run("good", claim)
    assert step.state == StepState.SUCCEEDED
    assert list(bench.files) == ["teacher.json", "teacher.safetensors"]


def test_a_damaged_input_is_made_again_by_the_step_that_made_it(bench: Bench) -> None:
    bench.run("good")
    damage_stored(bench, ["teacher.safetensors"])
    shutil.rmtree(bench.slot.settings.data_dir / "runs")  # Another machine.
    distill = bench.claim_next()
    assert distill.step.key == "distill-1"
    bench.run("good", distill)
    assert bench.step.state == StepState.QUEUED
    assert bench.job.state == JobState.RUNNING
    assert bench.run("good").state == StepState.SUCCEEDED
    again = bench.claim_next()
    assert again.step.key == "distill-1"
    folder = RunFolder(bench.slot.settings.data_dir, again, bench.slot.blobs)
    folder.lay_down(bench.slot.sessions, again)
    assert (folder.path / "teacher.safetensors").read_text() == "teacher.safetensors of teacher"
