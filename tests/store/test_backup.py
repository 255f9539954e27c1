"""A backup is taken while the service runs, and put back into an empty place: what ran goes on there, and nobody of the old world has a say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fsspec.core import url_to_fs
from sqlalchemy import Engine, func, select, text

from store import artifacts, backup, claims, deliveries, dumps, files, flow, jobs, moves, tunings, workers
from store.__main__ import main
from store.artifacts import StoredFile
from store.backup_place import Place
from store.blobs import BlobStore
from store.claims import Claim
from store.connection import PATIENT
from store.errors import LeaseLost
from store.files import NotKept, all_kept, discard_loose
from store.session import Sessions, make_engine, make_sessions, transaction
from store.states import JobState, StepState
from store.studies import Studies
from store.tables import Attempt, Event, Job, LooseFile, OutboxMessage, Webhook
from tests.store.builders import new_search, new_tuning, new_webhook, new_worker, queued, schema_is_current, take
from tests.store.kept import rows_and_files


@dataclass
class World:
    """A service: its database and its stored files."""

    url: str
    artifacts: str
    sessions: Sessions
    say: pytest.MonkeyPatch

    @property
    def blobs(self) -> BlobStore:
        return BlobStore(self.artifacts)

    def run(self, *arguments: str) -> int:
        """A command of an operator there."""
        self.say.setenv("DNA_DATABASE_URL", self.url)
        self.say.setenv("DNA_ARTIFACTS_URL", self.artifacts)
        return main(list(arguments))


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where backups lie: a folder, and, where a test is marked so, S3."""
    if getattr(request, "param", "folder") == "s3":
        request.getfixturevalue("s3")
        return "s3://sets/backups"
    return str(tmp_path / "backups")


@pytest.fixture
def old(sessions: Sessions, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(database_url, (tmp_path / "old").as_uri(), sessions, monkeypatch)


@pytest.fixture
def new(empty_database_url: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    engine = make_engine(empty_database_url)
    stored = "s3://sets/artifacts" if place.startswith("s3:") else (tmp_path / "new").as_uri()
    yield World(empty_database_url, stored, make_sessions(engine), monkeypatch)
    engine.dispose()


@pytest.fixture
def patient(old: World) -> Iterator[Engine]:
    engine = make_engine(old.url, PATIENT)
    yield engine
    engine.dispose()


def begun(world: World, content: str = "a checkpoint") -> Claim:
    """A search whose first step runs on a worker and has stored a checkpoint."""
    with transaction(world.sessions) as session:
        search = new_search(session)
        claim = take(session, queued(session, search)[0], new_worker(session))
    keep(world, claim, content)
    return claim


def keep(world: World, claim: Claim, content: str) -> None:
    path = Path(url_to_fs(world.artifacts)[1]).with_name("content")
    path.write_text(content)
    with files.drafts(world.sessions, world.blobs, claim) as drafts:
        [blob] = drafts.write_files([path])
        with transaction(world.sessions) as session:
            flow.save_checkpoint(session, claim, StoredFile(claim.step.checkpoint, blob))


def checkpoint(world: World, claim: Claim) -> bytes:
    with transaction(world.sessions) as session:
        [row] = artifacts.named(session, claim.job_id, [claim.step.checkpoint]).values()
    return b"".join(world.blobs.read(artifacts.blob(row)))


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("place", ["folder", "s3"], indirect=True)
def test_what_ran_waits_in_the_new_world_with_its_checkpoint(
    old: World, new: World, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = begun(old)
    assert old.run("backup", place) == 0
    backup = said(capsys)
    assert (backup["files"], backup["copied"], backup["missing"]) == (1, 1, [])
    keep(old, claim, "a later checkpoint")
    assert new.run("restore", place) == 0
    assert schema_is_current(new.url)
    assert checkpoint(new, claim) == b"a checkpoint"
    with transaction(new.sessions) as session:
        job = session.get_one(Job, claim.job_id)
        [step] = moves.steps_in(session, job, *StepState)
        assert (job.state, step.state, step.attempt, step.lease_owner) == (JobState.RUNNING, StepState.QUEUED, 0, None)
        assert workers.live(session, within=workers.SILENCE) == []
        [wake] = session.scalars(select(OutboxMessage))
        assert wake.payload == {"step_id": str(step.id)}
        [attempt] = session.scalars(select(Attempt))
        assert attempt.outcome == "released"
        told = session.scalars(select(Event).where(Event.type == "log")).one()
        assert backup["name"] in told.data["message"]
    named, found = rows_and_files(new.sessions, new.artifacts)
    assert named == found


def test_nobody_of_the_old_world_writes_into_the_new_one(old: World, new: World, place: str) -> None:
    """A worker that was not ended finds the new database under the old address, and has even claimed again since the backup."""
    claim, stopping = begun(old), begun(old)
    with transaction(old.sessions) as session:
        flow.cancel(session, stopping.job_id)
        new_webhook(session)
        new_search(session)
        [sent] = deliveries.take(session, limit=1, lease_seconds=60)
    old.run("backup", place)
    with transaction(old.sessions) as session:
        flow.stop(session, claim, engine_seconds=0.0)
        again = take(session, queued(session, session.get_one(Job, claim.job_id))[0], new_worker(session))
    new.run("restore", place)
    with transaction(new.sessions) as session:
        [step] = queued(session, session.get_one(Job, claim.job_id))
        theirs = take(session, step, new_worker(session))
    for stale in (claim, again):
        with pytest.raises(LeaseLost), transaction(new.sessions) as session:
            claims.renew(session, stale, lease_seconds=60)
    assert theirs.fence > again.fence > claim.fence
    with transaction(new.sessions) as session:
        assert session.get_one(Job, stopping.job_id).state == JobState.CANCELLED  # Whom it waited for is gone.
        [told] = deliveries.take(session, limit=1, lease_seconds=60)
        assert (told.id, told.fence > sent.fence) == (sent.id, True)


def test_a_tuning_keeps_what_optuna_knows(old: World, new: World, place: str) -> None:
    with transaction(old.sessions) as session:
        tuning = new_tuning(session)
        claim = take(session, queued(session, session.get_one(Job, tuning.id))[0], new_worker(session))
    with closing(Studies(old.url)) as studies:
        studies.open()
        with transaction(old.sessions) as session:
            asked = tunings.ask(session, studies, claim)
    assert asked.step.trial is not None
    old.run("backup", place)
    new.run("restore", place)
    with transaction(new.sessions) as session:
        step = queued(session, session.get_one(Job, tuning.id))[0]
        again = take(session, step, new_worker(session))
    with closing(Studies(new.url)) as studies:
        studies.open()
        with transaction(new.sessions) as session:
            assert tunings.ask(session, studies, again).step.trial == asked.step.trial


def test_what_is_deleted_while_a_backup_is_taken_is_in_it(
    old: World, new: World, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job goes when its rows are dumped and its files not yet copied; what a worker discards meanwhile stays for that long."""
    claim = begun(old)
    dump = dumps.dump

    def and_then_it_goes(*arguments: Any) -> None:
        dump(*arguments)
        with transaction(old.sessions) as session:
            flow.cancel(session, claim.job_id)
            flow.stop(session, claim, engine_seconds=0.0)
            locations = jobs.delete(session, claim.job_id)
        assert locations
        files.discard(old.sessions, old.blobs, sorted(locations))
        discard_loose(old.sessions, old.blobs)
        assert rows_and_files(old.sessions, old.artifacts) == (set(), set(locations))

    monkeypatch.setattr(dumps, "dump", and_then_it_goes)
    assert old.run("backup", place) == 0
    assert new.run("restore", place) == 0
    assert checkpoint(new, claim) == b"a checkpoint"
    discard_loose(old.sessions, old.blobs)
    assert rows_and_files(old.sessions, old.artifacts) == (set(), set())
    with transaction(old.sessions) as session:
        assert session.scalar(select(func.count()).select_from(LooseFile)) == 0


def test_two_backups_are_not_taken_at_once(
    old: World, patient: Engine, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with all_kept(patient):
        assert old.run("backup", place) == 2
        assert "Another backup" in capsys.readouterr().err
    assert old.run("backup", place) == 0


def test_a_backup_that_lost_the_database_says_so(old: World, patient: Engine) -> None:
    """Files may have gone from then on."""
    with pytest.raises(NotKept, match="Take the backup again"), all_kept(patient):
        throw_out_others(old.sessions)


def throw_out_others(sessions: Sessions) -> None:
    others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with transaction(sessions) as session:
        session.execute(text(others))


def test_a_file_is_copied_once_and_goes_with_the_last_backup_that_names_it(
    old: World, place: str, capsys: pytest.CaptureFixture[str], one_a_second: None
) -> None:
    claim = begun(old)
    old.run("backup", place)
    first = said(capsys)
    keep(old, claim, "another checkpoint")  # The one before stays, too.
    old.run("backup", place)
    second = said(capsys)
    assert (second["files"], second["copied"]) == (2, 1)
    with transaction(old.sessions) as session:
        artifacts.remove(session, claim.job_id, claim.step.checkpoint)
    old.run("backup", place, "--keep", "2")
    third = said(capsys)
    assert (third["files"], third["copied"]) == (1, 0)
    assert [backup.name for backup in Place(place).all()] == [second["name"], third["name"]]
    assert first["name"] != second["name"]
    assert len(stored(place)) == 2
    old.run("backup", place, "--keep", "1")
    assert len(stored(place)) == 1


def stored(place: str) -> set[str]:
    return {location for _, found in Place(place).blobs.folders() for location in found}


@pytest.fixture
def one_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backups are named by the second; those of one test follow each other faster."""
    number = iter(range(10, 60))
    monkeypatch.setattr(backup, "name_at", lambda _: f"20261127T0418{next(number)}Z")


def test_damaged_files_are_told_of_and_the_rest_is_kept(
    old: World, new: World, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = begun(old)
    keep(old, claim, "another")
    with transaction(old.sessions) as session:
        damaged = artifacts.named(session, claim.job_id, [claim.step.checkpoint])[claim.step.checkpoint].location
    root = Path(url_to_fs(old.artifacts)[1])
    (root / damaged).write_text("anOther")
    assert old.run("backup", place) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["missing"] == [damaged]
    assert damaged in told.err
    assert new.run("restore", place) == 0
    named, found = rows_and_files(new.sessions, new.artifacts)
    assert named - found == {damaged}


def test_files_that_are_there_are_not_copied_again(old: World, new: World, place: str) -> None:
    """The database alone was lost: the store of the old world becomes the new one's. And a copy beside a service sends nothing."""
    with transaction(old.sessions) as session:
        new_webhook(session)
        new_search(session)
    claim = begun(old)
    old.run("backup", place)
    [location] = stored(place)
    Place(place).blobs.delete(location)
    new.artifacts = old.artifacts
    assert new.run("restore", place, "--without-webhooks") == 0
    assert checkpoint(new, claim) == b"a checkpoint"
    with transaction(new.sessions) as session:
        assert deliveries.take(session, limit=1, lease_seconds=60) == []
        assert "restored from a backup" in (session.scalars(select(Webhook)).one().disabled_reason or "")


def test_says_why_it_does_not_restore(
    old: World, new: World, place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: str, world: World = new) -> str:
        assert world.run("restore", place, *arguments) == 2
        return capsys.readouterr().err

    assert "There is none at all" in refused()
    begun(old)
    old.run("backup", place)
    name = said(capsys)["name"]
    assert name in refused("--name", "20200101T000000Z")
    assert "Restore into an empty one" in refused(world=old)
    about = Path(place) / name / "backup.json"
    whole = about.read_text()
    about.write_text(whole.replace(json.loads(whole)["revision"], "0123456789ab"))
    assert "Restore it by that version" in refused()
    about.unlink()  # As when its writer was killed before the end.
    assert "There is none at all" in refused()
    about.write_text(whole)
    [location] = stored(place)
    Place(place).blobs.delete(location)
    assert "1 files of the backup are damaged or gone" in refused()
    assert not schema_is_current(new.url)  # It is as empty as before: the next attempt is not refused for it.
    Path(place, "files", location).write_text("a checkpoint")
    assert new.run("restore", place) == 0


def test_a_pg_dump_of_an_older_postgresql_is_passed_over(
    old: World, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "bin/pg_dump"
    older.parent.mkdir()
    older.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    older.chmod(0o755)
    monkeypatch.setenv("PATH", str(older.parent), prepend=":")
    assert old.run("backup", place) == 0
    monkeypatch.setattr(dumps, "find_spec", lambda _: None)
    assert old.run("backup", place) == 2
    assert "There is no pg_dump of PostgreSQL 18 or newer here" in capsys.readouterr().err


def test_nothing_starts_on_a_dump_that_was_put_back_by_hand(old: World, new: World, place: str) -> None:
    """Its leases would be honoured. It is no schema of anybody's, as no row says of which version it is."""
    begun(old)
    old.run("backup", place)
    [backup] = Place(place).all()
    engine = make_engine(new.url)
    with engine.connect() as connection:
        dumps.load(connection, new.url, Path(place) / backup.name / "database.dump")
    engine.dispose()
    assert not schema_is_current(new.url)
