"""A step is divided: each cell is in one part, each part is as far as the whole was, and files go when no part needs them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.events import Progress
from dna_engine.plans import Kind, Phase
from dna_engine.space import CellRef
from store import artifacts, attempts, division, events, flow, steps
from store.artifacts import StoredFile
from store.blobs import Blob, BlobStore
from store.claims import Claim
from store.columns import new_id
from store.errors import LeaseLost
from store.files import discard
from store.session import Sessions, transaction
from store.states import EventType, StepState
from store.tables import Artifact, Search, Step, Worker
from tests.store.builders import finish_phase, names_of, new_search, new_worker, queued, succeed, take


def begun(session: Session, kind: Kind = Kind.DISTILL) -> tuple[Search, Worker, Claim]:
    """A step of several cells that a worker holds."""
    search, worker = new_search(session), new_worker(session)
    while search.phase != Phase(kind.value):
        finish_phase(session, search, worker)
    return search, worker, take(session, queued(session, search)[0], worker)


def halves(claim: Claim) -> list[list[CellRef]]:
    cells = [CellRef.parse(cell) for cell in claim.step.cells]
    return [cells[:1], cells[1:]]


def stored(session: Session, claim: Claim) -> None:
    """A checkpoint, twice: one is kept as the one before."""
    for _ in range(2):
        blob_id = new_id()
        file = StoredFile(claim.step.checkpoint, Blob(blob_id, f"00/{blob_id}", 1, "0" * 64))
        flow.save_checkpoint(session, claim, file)


def part_of(session: Session, search: Search, claim: Claim) -> Step:
    """What was made of it."""
    known = {"teacher", "distill-1", "distill-2", "rate-1", "rate-2"}
    [part] = [step for step in steps.of_job(session, search.id) if step.key not in known]
    assert part.key == f"{claim.step.kind}-3"
    return part


@pytest.mark.parametrize("kind", [Kind.DISTILL, Kind.RATE])
def test_parts_go_on_from_the_checkpoint_of_the_whole(session: Session, kind: Kind) -> None:
    search, worker, claim = begun(session, kind)
    flow.report(session, claim, [Progress(done=30, total=100, parts=claim.step.cells)], engine_seconds=9.0)
    stored(session, claim)
    before = search.progress
    own = division.divide(session, claim, halves(claim))
    part, step = part_of(session, search, claim), steps.get(session, claim.step_id)
    assert own.step == step.planned
    assert [own.step.cells, part.planned.cells] == [claim.step.cells[:1], claim.step.cells[1:]]
    assert (part.state, part.phase, part.queue, part.progress) == (StepState.QUEUED, step.phase, "gpu", 0.3)
    assert (step.progress, step.parts, step.key) == (0.3, [], claim.step.key)
    locations = {
        name: artifact.location
        for name, artifact in artifacts.named(session, search.id, sorted(names_of(session, search.id))).items()
    }
    assert locations[part.planned.checkpoint] == locations[own.step.checkpoint]
    assert locations[part.planned.checkpoint_before] == locations[own.step.checkpoint_before]
    flow.report(session, own, [Progress(done=30, total=100)], engine_seconds=0.0)
    assert search.progress == pytest.approx(before)
    succeed(session, own)
    assert names_of(session, search.id) >= {part.planned.checkpoint, part.planned.checkpoint_before}
    for other in queued(session, search):
        assert search.phase == kind.value
        succeed(session, take(session, other, worker))
    assert search.phase != kind.value
    assert not names_of(session, search.id)


def test_without_a_checkpoint_parts_begin_at_the_beginning(session: Session) -> None:
    search, _, claim = begun(session)
    flow.report(session, claim, [Progress(done=3, total=100)], engine_seconds=9.0)
    division.divide(session, claim, halves(claim))
    assert part_of(session, search, claim).done == 0


def test_whoever_lost_its_lease_divides_nothing(session: Session) -> None:
    search, worker, claim = begun(session)
    flow.stop(session, claim, engine_seconds=0.0)
    take(session, steps.get(session, claim.step_id), worker)
    with pytest.raises(LeaseLost):
        division.divide(session, claim, halves(claim))
    assert len(steps.of_job(session, search.id)) == 3


def test_no_cell_is_lost_or_doubled(session: Session) -> None:
    _, _, claim = begun(session)
    first, *others = (CellRef.parse(cell) for cell in claim.step.cells)
    for wrong in ([[first]], [[first], [first, *others]]):
        with pytest.raises(AssertionError):
            division.divide(session, claim, wrong)


def test_people_are_told(session: Session) -> None:
    search, _, claim = begun(session)
    division.divide(session, claim, halves(claim))
    part = part_of(session, search, claim)
    told = [event.data for event in events.after(session, search.id, 0, limit=1000) if event.type == EventType.LOG]
    assert f"{', '.join(part.planned.cells)} ({part.key})" in told[-1]["message"]
    assert [step.key for _, step in attempts.of_job(session, search.id, after=None, limit=9)] == [
        "teacher",
        "distill-1",
    ]


def test_a_shared_file_lasts_as_long_as_any_part(sessions: Sessions, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path.as_uri())
    (tmp_path / "state").write_bytes(b"state")
    with transaction(sessions) as session:
        search, worker, claim = begun(session)
        blob = blobs.write_file(tmp_path / "state")
        flow.save_checkpoint(session, claim, StoredFile(claim.step.checkpoint, blob))
        own = division.divide(session, claim, halves(claim))
    assert ended(sessions, blobs, own) == [blob.location]
    assert blobs.exists(blob.location)
    with transaction(sessions) as session:
        rest = take(session, part_of(session, search, claim), worker)
    assert ended(sessions, blobs, rest) == [blob.location]
    assert not blobs.exists(blob.location)
    with transaction(sessions) as session:
        assert not of(session, search.id)


def ended(sessions: Sessions, blobs: BlobStore, claim: Claim) -> list[str]:
    """The step has succeeded, and what it had replaced is discarded; the files that its rows named."""
    with transaction(sessions) as session:
        gone = flow.succeed(session, claim, {}, [], engine_seconds=1.0, group=lambda *_: [])
    discard(sessions, blobs, gone)
    return gone


def of(session: Session, job_id: UUID) -> list[Artifact]:
    return list(session.scalars(select(Artifact).where(Artifact.job_id == job_id)))
