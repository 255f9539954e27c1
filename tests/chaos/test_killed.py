"""A machine dies by SIGKILL: another one goes on, and gives way to something urgent meanwhile, to the same ratings to the bit; and nothing that
was stored is left over."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from dna_engine import pipeline
from dna_engine.plans import Kind, Phase, plan_of
from dna_engine.runtime import checkpoint
from dna_engine.spec import ResolvedSpec
from store import artifacts, attempts, events, flow, jobs
from store.session import transaction
from store.settings import Settings
from store.states import AttemptOutcome, EventType, StepState
from store.tables import LooseFile
from tests.chaos.conftest import Book
from tests.dna_engine.runs import context
from tests.e2e.service import Machine, alive, machine, wait_for
from tests.store.kept import rows_and_files

#: Steps of distillation: long enough to be killed in the middle.
EPOCHS = 12

CHECKPOINT = "checkpoints/distill-1.safetensors"


def uninterrupted(book: Book, search_id: UUID, run: Path) -> dict[str, bytes]:
    """The ratings by the same teacher when every cell is distilled and rated in one go, by the engine alone, in this process."""
    spec = book.spec(search_id)
    run.mkdir()
    (run / "spec.json").write_text(spec.model_dump_json())
    for name, content in stored(book, search_id, ["teacher.safetensors", "teacher.json"]).items():
        (run / name).write_bytes(content)
    for phase in (Phase.DISTILL, Phase.RATE):
        [step] = plan_of(spec).steps(phase)
        pipeline.run_step(spec, step, context(run)[0])
    return {name: (run / name).read_bytes() for name in ratings_of(spec)}


def ratings_of(spec: ResolvedSpec) -> list[str]:
    return [f"ratings/{cell}.json" for cell in spec.parsed_space.cells]


def stored(book: Book, search_id: UUID, names: list[str]) -> dict[str, bytes]:
    """Those of the files that are stored."""
    with transaction(book.sessions) as session:
        found = artifacts.named(session, search_id, names)
    return {name: b"".join(book.blobs.read(artifacts.blob(artifact))) for name, artifact in found.items()}


def stored_progress(book: Book, search_id: UUID, folder: Path) -> int:
    """How far the stored checkpoint of distillation is; 0 when there is none."""
    found = stored(book, search_id, [CHECKPOINT])
    if not found:
        return 0
    (folder / "stored.safetensors").write_bytes(found[CHECKPOINT])
    state = checkpoint.load(folder / "stored.safetensors")
    assert state is not None
    return int(state["done"])


def distilled(book: Book, search_id: UUID) -> list[int]:
    """The numbers of distillation steps that were reported, in order."""
    with transaction(book.sessions) as session:
        told = events.after(session, search_id, 0, limit=10_000)
    return [
        event.data["done"] for event in told if event.type == EventType.PROGRESS and event.data["step"] == "distill-1"
    ]


def unnamed(book: Book, settings: Settings) -> set[str]:
    """Files that a step has stored, and whose rows have not come."""
    with transaction(book.sessions) as session:
        entered = set(session.scalars(select(LooseFile.location).where(LooseFile.step_id.is_not(None))))
    return entered & rows_and_files(book.sessions, settings.artifacts)[1]


def sound(book: Book, settings: Settings) -> bool:
    named, found = rows_and_files(book.sessions, settings.artifacts)
    return named == found


def kill_between_file_and_row(book: Book, settings: Settings, search_id: UUID, machine: Machine) -> None:
    """Kills the machine when it has stored a checkpoint and cannot write its row. It reports nothing meanwhile: that would wait for the
    lock too, and the checkpoint for that.
    """
    with transaction(book.sessions) as session:
        jobs.lock(session, search_id)  # No row of the search can be written.
        wait_for(lambda: bool(unnamed(book, settings)))
        engines = machine.kill()
    assert engines
    wait_for(lambda: not any(alive(engine) for engine in engines))


def let_one_through(book: Book, search_id: UUID) -> None:
    """One of a higher priority gets the only worker in the middle of the search, which goes on behind it."""

    def taken_over() -> bool:
        step = book.step(search_id, "distill-1")
        return step is not None and step.fence == 2 and step.state == StepState.RUNNING

    wait_for(taken_over)
    urgent = book.add(priority="high")
    wait_for(lambda: book.state(urgent, Kind.TEACHER) == StepState.SUCCEEDED)
    with transaction(book.sessions) as session:
        flow.cancel(session, urgent)
        tried = attempts.of_job(session, search_id, after=None, limit=100)
    [reason] = [attempt.reason for attempt, _ in tried if attempt.outcome == AttemptOutcome.RELEASED]
    assert reason is not None
    assert reason.startswith("a job of a higher priority has waited")


def test_another_machine_goes_on_to_the_same_ratings(book: Book, impatient: Settings, tmp_path: Path) -> None:
    search_id = book.add(training={"epochs": EPOCHS})
    often = {"DNA_CHECKPOINT_SECONDS": "0.2"}
    with machine(impatient, queues="gpu", DNA_REPORT_SECONDS="60", **often) as first:
        wait_for(lambda: stored_progress(book, search_id, tmp_path) > 0)
        kill_between_file_and_row(book, impatient, search_id, first)
    kept = stored_progress(book, search_id, tmp_path)
    before = distilled(book, search_id)
    assert 0 < kept < book.spec(search_id).training.epochs * 23
    assert not sound(book, impatient), "a file whose row never came"
    # Another machine: it has nothing of the first one's folder, only what was stored.
    (impatient.data_dir / "runs").rename(tmp_path / "lost")
    at_once = {"DNA_PREEMPT_SECONDS": "0.01", "DNA_REAP_SECONDS": "0.1"}
    with machine(impatient, queues="gpu", **often, **at_once):
        let_one_through(book, search_id)
        wait_for(
            lambda: book.step(search_id, Kind.SELECT) is not None
        )  # What rates has done so, and nobody here selects.
        wait_for(lambda: sound(book, impatient))
    counted = {step.key: step.attempt for step in book.search(search_id).steps if step.state == StepState.SUCCEEDED}
    assert counted.pop("distill-1") == 2, "one that was given back does not count"
    assert set(counted.values()) == {1}
    after = distilled(book, search_id)[len(before) :]
    assert after[0] >= kept
    rated = stored(book, search_id, ratings_of(book.spec(search_id)))
    assert rated == uninterrupted(book, search_id, tmp_path / "alone")
