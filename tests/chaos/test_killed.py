"""A machine dies by SIGKILL: another one goes on, and one that comes later takes part, to the same ratings to the bit; nothing that was stored is
left over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from dna_engine import pipeline
from dna_engine.plans import Kind, Phase, plan_of
from dna_engine.runtime import checkpoint
from dna_engine.spec import ResolvedSpec
from store import artifacts, attempts, events, jobs, workers
from store.session import transaction
from store.settings import Settings
from store.states import AttemptOutcome, EventType, StepState
from store.tables import LooseFile, Step
from tests.chaos.conftest import Book
from tests.dna_engine.runs import context
from tests.e2e.service import Machine, alive, machine, wait_for
from tests.store.kept import rows_and_files

#: Steps of distillation: long enough to be killed in the middle.
EPOCHS = 8

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


def said(book: Book, search_id: UUID) -> list[str]:
    """The lines of its log."""
    with transaction(book.sessions) as session:
        told = events.after(session, search_id, 0, limit=10_000)
    return [event.data["message"] for event in told if event.type == EventType.LOG]


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


@contextmanager
def made_to_yield(book: Book, search_id: UUID, machine: Machine) -> Iterator[None]:
    """Inside the block something comes for which the step is to yield. Its engine stands still until it is asked to: however fast it is, it is
    not done.
    """
    wait_for(lambda: step_of(book, search_id).fence == 2 and step_of(book, search_id).eta_seconds is not None)
    [engine] = machine.engines
    engine.suspend()
    yield
    wait_for(lambda: step_of(book, search_id).yield_reason is not None)
    engine.resume()


def step_of(book: Book, search_id: UUID) -> Step:
    """The step of distillation that there was first."""
    step = book.step(search_id, "distill-1")
    assert step is not None
    return step


def check_shared(book: Book, search_id: UUID) -> None:
    """Every cell was distilled in one step, each step came to its end once, and both machines brought some to it."""
    with transaction(book.sessions) as session:
        tried = attempts.of_job(session, search_id, after=None, limit=100)
    ended = [(step, attempt) for attempt, step in tried if attempt.outcome == AttemptOutcome.SUCCEEDED]
    assert len({step.id for step, _ in ended}) == len(ended)
    distilled = [(step, attempt) for step, attempt in ended if step.kind == Kind.DISTILL]
    assert len({attempt.worker_id for _, attempt in distilled}) == 2
    cells = [cell for step in book.search(search_id).steps if step.kind == Kind.DISTILL for cell in step.planned.cells]
    assert sorted(cells) == [str(cell) for cell in book.spec(search_id).parsed_space.cells]


def test_other_machines_go_on_to_the_same_ratings(book: Book, impatient: Settings, tmp_path: Path) -> None:
    search_id = book.add(training={"epochs": EPOCHS})
    often = {"DNA_CHECKPOINT_SECONDS": "0.2", "DNA_HAND_OVER_SECONDS": "0.05"}
    with machine(impatient, queues="gpu", DNA_REPORT_SECONDS="60", **often) as first:
        wait_for(lambda: stored_progress(book, search_id, tmp_path) > 0)
        lease_owner = step_of(book, search_id).lease_owner
        assert lease_owner is not None
        kill_between_file_and_row(book, impatient, search_id, first)
    kept = stored_progress(book, search_id, tmp_path)
    before = distilled(book, search_id)
    assert 0 < kept < book.spec(search_id).training.epochs * 23
    assert not sound(book, impatient), "a file whose row never came"
    with transaction(
        book.sessions
    ) as session:  # A lease is shorter here than the silence of a worker that is taken for dead.
        workers.leave(session, lease_owner)
    # Other machines: they have nothing of the first one's folder, nor of each other's, only what was stored.
    (impatient.data_dir / "runs").rename(tmp_path / "lost")
    apart = {"DNA_DATA_DIR": str(tmp_path / "late"), "DNA_ARTIFACTS_URL": impatient.artifacts}
    with ExitStack() as stack:
        second = stack.enter_context(machine(impatient, queues="gpu", **often))
        with made_to_yield(book, search_id, second):
            stack.enter_context(machine(impatient, queues="gpu", **often, **apart))
        wait_for(
            lambda: book.step(search_id, Kind.SELECT) is not None
        )  # What rates has done so, and nobody here selects.
        wait_for(lambda: sound(book, impatient))
    tries = {step.key: step.attempt for step in book.search(search_id).steps if step.state == StepState.SUCCEEDED}
    assert tries.pop("distill-1") == 2
    assert set(tries.values()) == {1}
    check_shared(book, search_id)
    goes_on = f"distill-1 goes on from its checkpoint at step {kept} of "
    assert any(line.startswith(goes_on) for line in said(book, search_id))
    after = distilled(book, search_id)[len(before) :]
    assert after[0] >= kept
    assert after == sorted(after), "nothing was done again"
    rated = stored(book, search_id, ratings_of(book.spec(search_id)))
    assert rated == uninterrupted(book, search_id, tmp_path / "alone")
