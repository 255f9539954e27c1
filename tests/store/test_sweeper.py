"""Files without rows go once their row can no longer come; rows without files are told; another service's files stay."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dna_engine.images.info import DIGITS
from store import artifacts, datasets, sweeper
from store.artifacts import StoredFile
from store.blobs import Blob, BlobStore
from store.files import drafts
from store.session import Sessions, transaction
from store.settings import Settings
from tests.store.builders import new_search
from tests.store.kept import rows_and_files

#: Everything is older than that.
ANY = timedelta(hours=-1)


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.artifacts)


def write(blobs: BlobStore) -> Blob:
    return blobs.write(io.BytesIO(b"content"))


def record(sessions: Sessions, *files: Blob) -> None:
    with transaction(sessions) as session:
        search = new_search(session)
        artifacts.record(session, search.id, [StoredFile(f"{file.id}.json", file) for file in files])


def test_orphans_go_and_what_has_a_row_stays(sessions: Sessions, blobs: BlobStore, settings: Settings) -> None:
    record(sessions, *(write(blobs) for _ in range(5)))
    archive = write(blobs)
    with transaction(sessions) as session:
        info = DIGITS.model_copy(update={"name": "birds", "kind": "upload"})
        datasets.create(session, info, fingerprint="f", archive=archive)
    root = settings.data_dir / "artifacts"
    orphan, part, foreign = write(blobs), write(blobs), root / "ab/readme.txt"
    (root / part.location).rename(root / f"{part.location}.part")
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("of somebody")
    young = sweeper.look(sessions, blobs, older_than=timedelta(hours=24))
    assert (young.files, young.orphans, young.missing) == (0, [], [])
    found = sweeper.look(sessions, blobs, older_than=ANY)
    assert (found.files, sorted(found.orphans)) == (8, sorted([orphan.location, f"{part.location}.part"]))
    sweeper.sweep(sessions, blobs, older_than=ANY)
    assert foreign.exists()
    foreign.unlink()
    named, left = rows_and_files(sessions, settings.artifacts)
    assert named == left
    assert len(left) == 6


def test_what_is_being_written_stays_though_a_clock_is_wrong(
    sessions: Sessions, blobs: BlobStore, tmp_path: Path
) -> None:
    """By the writer's clock, or by this one, it was written long ago; its row is about to come."""
    (tmp_path / "file").write_bytes(b"content")
    with drafts(sessions, blobs) as written:
        [file] = written.write_files([tmp_path / "file"])
        sweeper.sweep(sessions, blobs, older_than=ANY)
        record(sessions, file)
    assert blobs.exists(file.location)


def test_a_row_without_a_file_is_told(sessions: Sessions, blobs: BlobStore, caplog: pytest.LogCaptureFixture) -> None:
    gone = write(blobs)
    record(sessions, gone, write(blobs))
    blobs.delete(gone.location)
    with caplog.at_level(logging.ERROR):
        sweeper.sweep(sessions, blobs, older_than=ANY)
    [told] = [line.message for line in caplog.records if line.name == "dna.store.sweeper"]
    assert told.startswith(f"The file of {gone.id}.json of job ")


def test_the_files_of_another_service_stay(
    sessions: Sessions, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sweeper, "FEW", 3)
    others = [write(blobs) for _ in range(5)]
    record(sessions, write(blobs))
    sweeper.sweep(sessions, blobs, older_than=ANY)
    assert all(blobs.exists(other.location) for other in others)
    assert "another service's" in caplog.text
    sweeper.remove(sessions, blobs, sweeper.look(sessions, blobs, older_than=ANY).orphans)
    assert not any(blobs.exists(other.location) for other in others)


def test_one_sweeps_at_a_time(sessions: Sessions, blobs: BlobStore) -> None:
    orphan = write(blobs)
    with transaction(sessions) as session:
        session.execute(select(func.pg_advisory_xact_lock(sweeper.LOCK)))
        sweeper.sweep(sessions, blobs, older_than=ANY)
        assert blobs.exists(orphan.location)
    sweeper.sweep(sessions, blobs, older_than=ANY)
    assert not blobs.exists(orphan.location)


def test_a_store_that_does_not_exist_yet(sessions: Sessions, tmp_path: Path) -> None:
    for url in ((tmp_path / "nothing").as_uri(), f"memory://{tmp_path.name}"):
        assert sweeper.look(sessions, BlobStore(url), older_than=ANY).files == 0
