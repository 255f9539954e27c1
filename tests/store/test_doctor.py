"""Each thing that may be wrong is told, with what to do, and what is left over goes by ``--fix``; a service that is well is left in peace."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import redis
from sqlalchemy import select, text, update

from store import artifacts, steps, sweeper, workers
from store.__main__ import main
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.columns import new_id
from store.doctor import postgres
from store.doctor.examination import examine, mend
from store.doctor.findings import Finding, Level, as_text
from store.migrate import downgrade
from store.session import Sessions, clock, transaction
from store.settings import Settings
from store.states import JobState, StepState
from store.tables import Job, LooseFile, OutboxMessage, Step, Webhook, Worker
from store.workers import Condition
from tests.conftest import SmallDisk
from tests.store.builders import new_search, new_webhook, new_worker, take

DAY = timedelta(days=1)


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.artifacts)


@pytest.fixture
def at_once(settings: Settings) -> Settings:
    """Every file is old enough to be judged."""
    return settings.model_copy(update={"orphan_hours": -1.0})


def troubles(settings: Settings) -> list[Finding]:
    """What is not well, but for settings of the tests' server, which are for speed."""
    return [
        finding
        for finding in examine(settings)
        if finding.level is not Level.OK and " is off: " not in finding.said and "No worker is live" not in finding.said
    ]


def the_one(settings: Settings) -> Finding:
    [finding] = troubles(settings)
    return finding


def test_one_that_is_well(sessions: Sessions, blobs: BlobStore, settings: Settings) -> None:
    with transaction(sessions) as session:
        search = new_search(session)
        take(session, steps.of_job(session, search.id)[0], new_worker(session))
        artifacts.record(session, search.id, [StoredFile("a.json", blobs.write(io.BytesIO(b"content")))])
    found = examine(settings)
    assert {finding.check for finding in found} >= {
        "PostgreSQL", "schema", "clock", "workers", "versions", "clocks", "keys", "Redis", "stored files", "disk", "files and rows",
    }  # fmt: skip
    assert troubles(settings) == []
    assert mend(settings) == []
    with transaction(sessions) as session:
        off = [name for name in postgres._SAFE if session.scalar(text(f"SHOW {name}")) == "off"]
    assert sorted(off) == sorted(finding.said.split()[0] for finding in found if " is off: " in finding.said)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("UPDATE alembic_version SET version_num = 'later'", "another version than this one (later)"),
        ("DELETE FROM alembic_version", "There is none."),
    ],
    ids=["later", "none"],
)
def test_another_schema(spoil: str, words: str, sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        before = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text(spoil))
    finding = the_one(settings)
    assert (finding.check, finding.level) == ("schema", Level.WRONG)
    assert words in finding.said
    assert mend(settings) == []
    with transaction(sessions) as session:
        session.execute(text("DELETE FROM alembic_version"))
        session.execute(text("INSERT INTO alembic_version VALUES (:before)"), {"before": before})


def test_an_earlier_schema(database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    downgrade(database_url, "-1")
    finding = the_one(settings)
    assert finding.said.startswith("It is of an earlier version")
    assert "dna migrate" in finding.advice


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ({"database_url": "postgresql://nobody@127.0.0.1:1/none"}, "PostgreSQL", "does not answer"),
        ({"database_url": "nonsense"}, "PostgreSQL", "is no address"),
        ({"redis_url": "redis://127.0.0.1:1/0"}, "Redis", "does not answer"),
        ({"redis_url": None}, "Redis", "not set"),
        ({"artifacts_url": "file:///proc/none"}, "stored files", "cannot be written"),
        ({"artifacts_url": "nothing://there"}, "stored files", "cannot be opened"),
        ({"datasets": Path("/proc/none")}, "disk", "Nothing can be written to the datasets"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_there(change: Mapping[str, object], check: str, words: str, settings: Settings) -> None:
    found = [finding for finding in troubles(settings.model_copy(update=dict(change))) if finding.check == check]
    assert any(finding.level is Level.WRONG and words in finding.said and finding.advice for finding in found)


@pytest.fixture
def configure(settings: Settings) -> Iterator[Callable[[str, str], None]]:
    """Sets Redis otherwise until the test ends."""
    assert settings.redis_url is not None
    with redis.Redis.from_url(settings.redis_url, decode_responses=True) as client:
        before: dict[str, str] = {}

        def configure(name: str, value: str) -> None:
            before.setdefault(name, client.config_get(name)[name])
            client.config_set(name, value)

        yield configure
        for name, value in before.items():
            client.config_set(name, value)


def test_a_redis_that_forgets(settings: Settings, configure: Callable[[str, str], None]) -> None:
    configure("maxmemory-policy", "allkeys-lru")
    finding = the_one(settings)
    assert (finding.check, finding.level) == ("Redis", Level.WRONG)
    assert "maxmemory-policy noeviction" in finding.advice
    configure("maxmemory-policy", "noeviction")
    configure("appendonly", "no")
    configure("maxmemory", "1")
    assert [finding.said[:23] for finding in troubles(settings)][1] == "It keeps no log of what"
    assert "of 1 bytes of its memory" in troubles(settings)[0].said


def test_a_disk_that_is_full(settings: Settings, small_disk: SmallDisk) -> None:
    settings = settings.model_copy(update={"data_dir": small_disk.folder})
    with small_disk.full():
        found = troubles(settings)
    assert [finding.level for finding in found] == [Level.WRONG] * 3
    assert "The disk of the artifacts (DNA_ARTIFACTS_URL) is full" in found[0].said
    assert found[1].said == "Nothing can be written to the datasets (DNA_DATASETS): No space left on device."
    assert [path for path in small_disk.folder.rglob("*") if path.is_file()] == []


def test_files_without_rows_and_rows_without_files(sessions: Sessions, blobs: BlobStore, at_once: Settings) -> None:
    orphan, gone, there = (blobs.write(io.BytesIO(b"content")) for _ in range(3))
    with transaction(sessions) as session:
        search = new_search(session, name="birds\x1b[31m")
        take(session, steps.of_job(session, search.id)[0], new_worker(session, hostname="far-away"))
        artifacts.record(session, search.id, [StoredFile("gone", gone), StoredFile("there", there)])
    blobs.delete(gone.location)
    missing, left = troubles(at_once)
    assert (missing.level, missing.fix) == (Level.WRONG, "")
    assert missing.said == (
        f"1 file of search 'birds\\x1b[31m' ({search.id}) cannot be found in this store: gone ({gone.location})."
    )
    assert "far-away" in missing.advice
    assert (left.level, left.fix) == (Level.WARNING, "delete them")
    assert mend(at_once) == ["Deleted 1 stored file without a row."]
    assert (blobs.exists(orphan.location), blobs.exists(there.location)) == (False, True)
    assert troubles(at_once) == [missing]


def test_the_store_of_another_service_is_left_alone(
    sessions: Sessions, blobs: BlobStore, at_once: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "FEW", 2)
    others = [blobs.write(io.BytesIO(b"content")) for _ in range(3)]
    finding = the_one(at_once)
    assert (finding.level, finding.fix) == (Level.WRONG, "")
    assert "another service's" in finding.said
    assert mend(at_once) == []
    assert all(blobs.exists(other.location) for other in others)


def test_files_whose_time_has_come(sessions: Sessions, blobs: BlobStore, settings: Settings) -> None:
    late = blobs.write(io.BytesIO(b"content"))
    with transaction(sessions) as session:
        session.add(LooseFile(location=late.location, due_at=clock(session) - DAY))
    assert the_one(settings).fix == "delete them"
    assert mend(settings) == ["Deleted 1 stored file whose time had come."]
    assert not blobs.exists(late.location)


def test_steps_of_lost_workers(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        search = new_search(session)
        step, worker = steps.of_job(session, search.id)[0], new_worker(session)
        take(session, step, worker)
        session.execute(update(Step).values(lease_expires_at=clock(session) - DAY))
        session.execute(update(Worker).values(last_seen_at=clock(session) - DAY))
    finding = the_one(settings)
    assert (finding.check, finding.level) == ("leases", Level.WRONG)
    assert f"{step.key} of job {search.id}" in finding.said
    assert mend(settings) == ["Took 1 step from lost workers.", "Forgot 1 node that went without a word."]
    with transaction(sessions) as session:
        assert steps.get(session, step.id).state == StepState.QUEUED
        assert session.scalars(select(Worker)).all() == []


def test_steps_that_nobody_takes(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        step = steps.of_job(session, new_search(session).id)[0]
        session.execute(update(Step).values(queue="gpu4"))
        new_worker(session)
    finding = the_one(settings)
    assert (finding.check, finding.level) == ("queues", Level.WRONG)
    assert "--devices-per-step 4" in finding.advice
    with transaction(sessions) as session:
        long_ago = clock(session) - timedelta(hours=3)
        session.execute(update(Step).values(queue="gpu", available_at=long_ago, woken_at=long_ago))
        session.execute(update(OutboxMessage).values(sent_at=long_ago))
    finding = the_one(settings)
    assert (finding.level, finding.fix) == (Level.WARNING, "announce them again")
    assert "the longest for 3 h, though a worker has nothing to do" in finding.said
    assert mend(settings) == ["Announced 1 step again."]
    with transaction(sessions) as session:
        waits = session.scalars(select(OutboxMessage).where(OutboxMessage.sent_at.is_(None))).one()
    assert waits.payload == {"step_id": str(step.id)}


def test_a_job_that_goes_nowhere_and_messages_that_are_not_sent(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        search = new_search(session)
        session.execute(update(Step).values(state=StepState.SUCCEEDED))
        session.execute(update(Job).values(state=JobState.RUNNING))
        session.execute(update(OutboxMessage).values(available_at=clock(session) - DAY))
    stuck, unsent = troubles(settings)
    assert (stuck.check, stuck.level) == ("jobs", Level.WRONG)
    assert str(search.id) in stuck.said
    assert (unsent.check, unsent.level) == ("outbox", Level.WARNING)


def test_a_webhook_that_was_disabled(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        webhook = new_webhook(session, "https://receiver.example/secret-path")
        new_webhook(session, enabled=False)
        session.execute(
            update(Webhook).where(Webhook.id == webhook.id).values(enabled=False, disabled_reason="It is gone.")
        )
    finding = the_one(settings)
    assert f"{webhook.id} to receiver.example was disabled: It is gone." in finding.said
    assert "secret-path" not in as_text([finding])


def test_a_worker_that_redis_does_not_answer(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        cut_off = new_worker(session, hostname="far", queues=["gpu"])
        new_worker(session)
        workers.beat(session, cut_off, current_step_id=None, condition=Condition(redis_answers=False))
    finding = the_one(settings)
    assert (finding.check, finding.level) == ("workers", Level.WRONG)
    assert finding.said == "Redis does not answer 1 node, which live and take nothing: far process 1 (cpu)."
    assert "DNA_REDIS_URL" in finding.advice
    with transaction(sessions) as session:
        new_search(session)
        for worker in workers.live(session, within=DAY):
            workers.beat(session, worker, current_step_id=None, condition=Condition(redis_answers=False))
    *_, waits = troubles(settings)
    assert (waits.check, waits.level) == ("queues", Level.WRONG)
    assert "no live worker can take it" in waits.said
    assert "Redis, which does not answer 2 workers" in waits.advice


def test_workers_of_another_version_and_time(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        of = {"pid": 1, "device": "cpu", "device_name": "", "queues": ["gpu", "cpu"]}
        workers.register(session, hostname="old", versions={"dna-automl": "0.0.1", "torch": "2.11.0"}, **of)
        workers.register(session, hostname="new", versions={"torch": "2.14.1"}, **of)
        worker = new_worker(session, hostname="slow")
        hour = 3_600_000 << 80
        session.execute(update(Worker).where(Worker.id == worker.id).values(id=UUID(int=worker.id.int - hour)))
    service, torch, behind = troubles(settings)
    assert (service.level, torch.level, behind.level) == (Level.WRONG, Level.WARNING, Level.WRONG)
    assert "0.0.1 on old" in service.said
    assert "2.11.0 on old, 2.14.1 on new" in torch.said
    assert behind.said == "The machine of the worker slow when it started is 3600 s behind PostgreSQL."


@pytest.mark.parametrize(("ahead", "level"), [(0.5, Level.OK), (-5.0, Level.WARNING), (300.0, Level.WRONG)])
def test_clocks(ahead: float, level: Level) -> None:
    assert postgres.compared("clock", "This", "that", ahead).level is level


def test_more_nodes_than_connections(sessions: Sessions, settings: Settings) -> None:
    with transaction(sessions) as session:
        most = session.scalar(text("SELECT current_setting('max_connections')::int")) or 0
        session.add_all(
            Worker(
                id=new_id(), hostname="here", pid=1, device="cpu", device_name="", queues=["gpu", "cpu"], versions={}
            )
            for _ in range(most // postgres.OF_NODE)
        )
    assert "Set max_connections to" in the_one(settings).advice


def test_the_command(
    database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": settings.data_dir,
    }.items():
        monkeypatch.setenv(f"DNA_{name}", str(value))
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fixed"] == []
    assert {"check", "level", "said", "advice", "fix"} == set(told["findings"][0])
    monkeypatch.setenv("DNA_REDIS_URL", "redis://127.0.0.1:1/0")
    assert main(["doctor", "--fix"]) == 1
    assert "wrong    Redis: It does not answer" in capsys.readouterr().out
    monkeypatch.delenv("DNA_DATABASE_URL")
    assert main(["doctor"]) == 2
    monkeypatch.setenv("DNA_LEASE_SECONDS", "1")
    assert main(["doctor"]) == 2
    assert "DNA_LEASE_SECONDS must be at least twice" in capsys.readouterr().err
