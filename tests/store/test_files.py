"""A stored file whose writer is killed before its row is written goes; one whose row may still come stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, update

from dna_engine.images.info import DIGITS
from store import artifacts, claims, datasets, files, flow, jobs
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.claims import Claim
from store.files import discard_loose, drafts
from store.session import Sessions, transaction
from store.settings import Settings
from store.states import JobState
from store.tables import Job, LooseFile, Step
from tests.store.builders import new_search, new_worker, queued, take
from tests.store.kept import rows_and_files


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.artifacts)


@pytest.fixture
def claim(sessions: Sessions) -> Claim:
    with transaction(sessions) as session:
        return take(session, queued(session, new_search(session))[0], new_worker(session))


@pytest.fixture
def content(tmp_path: Path) -> Path:
    (tmp_path / "content").write_text("content")
    return tmp_path / "content"


def loose(sessions: Sessions) -> int:
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(LooseFile)) or 0


def lose_lease(sessions: Sessions, claim: Claim) -> None:
    """Its worker is silent, and the reaper comes by."""
    with transaction(sessions) as session:
        past = func.clock_timestamp() - timedelta(seconds=1)
        session.execute(update(Step).where(Step.id == claim.step_id).values(lease_expires_at=past))
    with transaction(sessions) as session:
        for step in claims.expired(session):
            assert flow.reap(session, step) is not None


def left(sessions: Sessions, settings: Settings) -> tuple[set[str], set[str]]:
    return rows_and_files(sessions, settings.artifacts)


def test_a_file_of_a_killed_step_goes_once_its_claim_is_gone(
    sessions: Sessions, settings: Settings, blobs: BlobStore, claim: Claim, content: Path
) -> None:
    writing = drafts(sessions, blobs, claim)
    writing.__enter__().write_files([content])  # And no more: the process is killed.
    discard_loose(sessions, blobs)
    assert len(left(sessions, settings)[1]) == 1  # Its row may still come.
    lose_lease(sessions, claim)
    discard_loose(sessions, blobs)
    assert left(sessions, settings) == (set(), set())
    pass_time(sessions, files.AGAIN)
    discard_loose(sessions, blobs)
    assert loose(sessions) == 0


_IMPORTS = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from store.blobs import BlobStore
from store.files import drafts
from store.session import make_engine, make_sessions
"""

_KILLED = """
with drafts(make_sessions(make_engine(sys.argv[1])), BlobStore(sys.argv[2])) as written:
    written.write_files([Path(sys.argv[3])])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_of_a_killed_upload_goes_when_no_upload_takes_as_long(
    sessions: Sessions, settings: Settings, blobs: BlobStore, content: Path
) -> None:
    assert start(_KILLED, settings, content).wait(60) == -signal.SIGKILL
    discard_loose(sessions, blobs)
    assert len(left(sessions, settings)[1]) == 1
    pass_time(sessions, files.UNHELD)
    discard_loose(sessions, blobs)
    assert left(sessions, settings)[1] == set()


_STOPPED = """
class Stopped(BlobStore):
    def write_file(self, path, *, blob_id):
        os.kill(os.getpid(), signal.SIGSTOP)
        return super().write_file(path, blob_id=blob_id)
class Writer:
    step_id, fence = UUID(sys.argv[4]), int(sys.argv[5])
with drafts(make_sessions(make_engine(sys.argv[1])), Stopped(sys.argv[2]), Writer) as written:
    written.write_files([Path(sys.argv[3])])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_goes_that_a_stopped_step_writes_after_its_claim_is_gone_and_does_not_live_to_delete(
    sessions: Sessions, settings: Settings, blobs: BlobStore, claim: Claim, content: Path
) -> None:
    writer = start(_STOPPED, settings, content, str(claim.step_id), str(claim.fence))
    os.waitid(os.P_PID, writer.pid, os.WSTOPPED)
    lose_lease(sessions, claim)
    discard_loose(sessions, blobs)
    writer.send_signal(signal.SIGCONT)
    assert writer.wait(60) == -signal.SIGKILL
    assert len(left(sessions, settings)[1]) == 1
    pass_time(sessions, files.AGAIN)
    discard_loose(sessions, blobs)
    assert (left(sessions, settings)[1], loose(sessions)) == (set(), 0)


def start(program: str, settings: Settings, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """A process that stores the file of the first argument."""
    assert settings.database_url is not None
    given = [settings.database_url, settings.artifacts, *map(str, arguments)]
    return subprocess.Popen([sys.executable, "-c", _IMPORTS + program, *given])


def pass_time(sessions: Sessions, time: timedelta) -> None:
    with transaction(sessions) as session:
        session.execute(update(LooseFile).values(due_at=LooseFile.due_at - time))


def test_a_file_with_a_row_is_loose_no_more(
    sessions: Sessions, settings: Settings, blobs: BlobStore, claim: Claim, content: Path
) -> None:
    with drafts(sessions, blobs, claim) as written:
        file = StoredFile("teacher.json", *written.write_files([content]))
        assert loose(sessions) == 1
        with transaction(sessions) as session:
            artifacts.record(session, claim.job_id, [file])
    assert loose(sessions) == 0
    lose_lease(sessions, claim)
    discard_loose(sessions, blobs)
    named, found = left(sessions, settings)
    assert named == found == {file.blob.location}


def test_a_writer_that_fails_leaves_neither_file_nor_entry(
    sessions: Sessions, settings: Settings, blobs: BlobStore, claim: Claim, content: Path
) -> None:
    def write() -> None:
        with drafts(sessions, blobs, claim) as written:
            written.write_files([content])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert (left(sessions, settings)[1], loose(sessions)) == (set(), 0)


def test_files_of_what_was_deleted_go_though_the_process_that_deleted_it_was_killed(
    sessions: Sessions, settings: Settings, blobs: BlobStore, claim: Claim, content: Path
) -> None:
    with drafts(sessions, blobs) as written, transaction(sessions) as session:
        artifacts.record(session, claim.job_id, [StoredFile("teacher.json", *written.write_files([content]))])
        info = DIGITS.model_copy(update={"name": "birds", "kind": "upload"})
        dataset = datasets.create(session, info, fingerprint="f", archive=written.write_files([content])[0])
    with transaction(sessions) as session:
        session.execute(update(Job).values(state=JobState.FAILED))
        jobs.delete(session, claim.job_id)
        datasets.delete(session, datasets.get(session, dataset.id))
    assert len(left(sessions, settings)[1]) == 2
    discard_loose(sessions, blobs)
    assert (left(sessions, settings), loose(sessions)) == ((set(), set()), 0)


def enter(sessions: Sessions, blobs: BlobStore, content: Path, count: int) -> list[str]:
    """Files whose rows have gone, in the order in which they did."""
    written = [blobs.write_file(content) for _ in range(count)]
    for blob in written:
        with transaction(sessions) as session:
            files.release(session, [blob.location])
    return [blob.location for blob in written]


def test_a_file_that_cannot_be_deleted_keeps_no_other(
    sessions: Sessions, settings: Settings, blobs: BlobStore, content: Path
) -> None:
    first, *_ = enter(sessions, blobs, content, 3)
    stubborn = settings.data_dir / "artifacts" / first
    stubborn.unlink()
    (stubborn / "inside").mkdir(parents=True)
    discard_loose(sessions, blobs)
    discard_loose(sessions, blobs)
    assert left(sessions, settings) == (set(), set())
    assert loose(sessions) == 1
    (stubborn / "inside").rmdir()
    stubborn.rmdir()
    pass_time(sessions, files.AGAIN)
    discard_loose(sessions, blobs)
    assert loose(sessions) == 0


def test_what_was_never_entered_is_when_one_of_it_cannot_be_deleted(
    sessions: Sessions, settings: Settings, blobs: BlobStore, content: Path
) -> None:
    """The sweeper finds such files."""
    stubborn, *others = [blobs.write_file(content).location for _ in range(3)]
    (settings.data_dir / "artifacts" / stubborn).unlink()
    (settings.data_dir / "artifacts" / stubborn).mkdir()
    files.discard(sessions, blobs, [stubborn, *others])
    assert left(sessions, settings)[1] == {*others}
    discard_loose(sessions, blobs)
    assert (left(sessions, settings)[1], loose(sessions)) == (set(), 1)


def test_a_store_that_is_away_keeps_what_is_to_be_deleted(
    sessions: Sessions, settings: Settings, blobs: BlobStore, content: Path
) -> None:
    locations = enter(sessions, blobs, content, 3)
    store = settings.data_dir / "artifacts"
    store.rename(settings.data_dir / "elsewhere")
    store.touch()
    files.discard(sessions, blobs, locations)
    assert loose(sessions) == 3
    store.unlink()
    (settings.data_dir / "elsewhere").rename(store)
    files.discard(sessions, blobs, locations)
    assert (left(sessions, settings)[1], loose(sessions)) == (set(), 0)


class Watched(BlobStore):
    """A store that writes down what it deletes."""

    def __init__(self, url: str, said: list[str]) -> None:
        super().__init__(url)
        self._said = said

    def delete(self, location: str) -> None:
        self._said.append(location.removesuffix(".part"))
        super().delete(location)


def test_the_server_hears_of_each_file_that_is_deleted(
    sessions: Sessions, settings: Settings, blobs: BlobStore, content: Path
) -> None:
    """It ends a transaction in which it hears nothing for long, and many files of a slow store take long."""
    locations = enter(sessions, blobs, content, 3)
    said: list[str] = []
    event.listen(sessions.kw["bind"], "before_cursor_execute", lambda *_: said.append("statement"))
    files.discard(sessions, Watched(settings.artifacts, said), locations)
    assert {*locations} < {*said}
    between = [pair for pair in pairwise(said) if "statement" not in pair]
    assert all(one == other for one, other in between)


@pytest.mark.parametrize(("patience", "goes"), [(timedelta(0), True), (timedelta(hours=1), False)])
def test_an_upload_is_given_the_time_that_the_settings_say(
    sessions: Sessions, settings: Settings, blobs: BlobStore, content: Path, patience: timedelta, goes: bool
) -> None:
    writing = drafts(sessions, blobs, patience=patience)
    writing.__enter__().write_files([content])  # And no more: the process is killed.
    discard_loose(sessions, blobs)
    assert (left(sessions, settings)[1] == set()) == goes
