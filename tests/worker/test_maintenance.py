"""What a node does beside its step goes on, whatever becomes of one duty; and a node that others cannot see takes nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from celery.exceptions import Reject
from sqlalchemy import delete, select, text, update

from store import workers
from store.columns import new_id
from store.connection import TimeOuts
from store.embedded_redis import redis_server
from store.migrate import head
from store.session import make_engine, make_sessions, transaction
from store.states import StepState
from store.tables import Job, Round, Step, Worker
from tests.worker.conftest import Bench
from worker.app import make_app
from worker.cleanup import remove_datasets, remove_run_folders
from worker.maintenance import Duty, Maintenance, Unfit
from worker.node import Node
from worker.reaper import reap

Wait = Callable[[Callable[[], bool]], None]

#: What people and systems leave in folders.
FOREIGN = ("lost+found", ".DS_Store", "backup of monday", "0192-not-quite-a-uuid", "caf\udce9")


@pytest.fixture
def app(bench: Bench) -> Iterator[Celery]:
    app = make_app(bench.slot.settings)
    yield app
    app.close()


def lay_out(folder: Path) -> list[Path]:
    places = [folder / name for name in FOREIGN]
    for place in places:
        place.mkdir(parents=True)
    return places


def test_what_is_not_ours_stays_and_stops_nothing(bench: Bench, tmp_path: Path) -> None:
    runs, uploads = tmp_path / "runs", tmp_path / "datasets" / "uploads"
    foreign = lay_out(runs) + lay_out(uploads)
    old = [runs / str(new_id()), uploads / ("0" * 64)]
    for folder in old:
        folder.mkdir()
    remove_run_folders(bench.slot.sessions, tmp_path)
    for _ in range(2):  # Images that nobody has marked are claimed first.
        remove_datasets(bench.slot.sessions, tmp_path / "datasets")
    assert all(place.is_dir() for place in foreign)
    assert not any(folder.exists() for folder in old)


def test_a_beat_tells_how_device_and_disk_are(bench: Bench, app: Celery, wait_for: Wait) -> None:
    slot = bench.slot

    def told() -> bool:
        with transaction(slot.sessions) as session:
            worker = session.get_one(Worker, slot.worker.id)
            return None not in (worker.memory_bytes, worker.disk_bytes, worker.disk_free_bytes)

    assert not told()
    with Maintenance(slot, app):
        wait_for(told)


def test_a_node_says_whether_redis_answers_it_and_is_not_idle_while_it_does_not(
    bench: Bench, wait_for: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Redis of this node alone is stopped and started again; it asks for nobody's cells meanwhile, and its heart beats on. What its device
    does not say, here for want of its driver, has nothing to do with it."""

    def fail(_: object) -> None:
        raise OSError("no driver")

    monkeypatch.setattr("worker.condition.Instruments.look", fail)
    slot, server = bench.slot, tmp_path / "redis"

    def told(answers: bool | None) -> Callable[[], bool]:
        def said() -> bool:
            with transaction(slot.sessions) as session:
                session.connection(
                    execution_options={"isolation_level": "REPEATABLE READ"}
                )  # A beat may come between the two.
                found = session.get_one(Worker, slot.worker.id).redis_answers
                idle = [worker.id for worker in workers.idle(session, "gpu", within=timedelta(seconds=30))]
                assert (slot.worker.id in idle) is (found is not False)
                return found is answers

        return said

    with redis_server(server) as url:
        slot.settings = slot.settings.model_copy(update={"redis_url": url, "beat_seconds": 0.05})
        with make_app(slot.settings) as app:
            maintenance = Maintenance(slot, app)
    assert told(None)(), "nobody has looked yet"
    with maintenance:
        wait_for(told(False))
        with redis_server(server) as again:
            assert again == url
            wait_for(told(True))
        wait_for(told(False))
        assert alive(bench)


def test_a_node_that_cannot_be_woken_asks_for_no_cells(
    bench: Bench, app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Worker] = []
    monkeypatch.setattr("worker.maintenance.ask", lambda _, worker, __: asked.append(worker))
    maintenance = Maintenance(bench.slot, app)
    for answers in (None, False, True):
        bench.slot.redis_answers = answers
        maintenance._ask_for_cells()
        assert bool(asked) is (answers is True)


def test_a_duty_that_fails_is_logged_once_and_tried_again(wait_for: Wait, caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []
    going = threading.Event()

    def work() -> None:
        tried.append(1)
        if not going.is_set():
            raise ValueError("badly formed hexadecimal UUID string")

    duty = Duty("removal of run folders", 0.01, work)
    with caplog.at_level(logging.WARNING):
        duty.start()
        wait_for(lambda: len(tried) > 3)
        going.set()
        wait_for(lambda: "The removal of run folders works again." in caplog.text)
    duty.leave()
    duty.join()
    assert caplog.text.count("The removal of run folders failed and is tried again in 0.01 s.") == 1
    assert "badly formed" in caplog.text


def test_a_duty_that_hangs_keeps_no_other_waiting(
    bench: Bench, app: Celery, wait_for: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, asked = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> None:
        asked.set()
        answer.wait(30.0)

    monkeypatch.setattr("worker.maintenance.remove_run_folders", hang)
    bench.slot.settings = bench.slot.settings.model_copy(update={"beat_seconds": 0.05})
    with Maintenance(bench.slot, app):
        assert asked.wait(10.0)
        with transaction(bench.slot.sessions) as session:
            session.execute(delete(Worker))
        wait_for(lambda: alive(bench))
        answer.set()


def alive(bench: Bench) -> bool:
    with transaction(bench.slot.sessions) as session:
        return bool(workers.live(session, within=timedelta(seconds=10)))


def test_a_node_without_a_heartbeat_or_with_a_dead_duty_claims_nothing(
    bench: Bench, app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.node.PAUSE_SECONDS", 0.0)
    node = Node(bench.slot, app, "node")
    bench.slot.settings = bench.slot.settings.model_copy(update={"worker_timeout_seconds": 1e-6})
    with pytest.raises(Reject, match="heartbeat was not written") as given_back:
        node.run_step(bench.step.id, "gpu")
    assert given_back.value.requeue
    bench.slot.settings = bench.slot.settings.model_copy(update={"worker_timeout_seconds": 30.0})
    with Maintenance(bench.slot, app) as maintenance:
        maintenance.check()
    with pytest.raises(Unfit, match=r"heartbeat and .* reaper .* have ended"):
        maintenance.check()
    assert bench.step.state == StepState.QUEUED
    node.run_step(bench.step.id, "gpu")
    assert bench.step.state == StepState.SUCCEEDED


def test_a_node_takes_nothing_out_of_the_schema_of_another_version(bench: Bench, app: Celery) -> None:
    """It was not told to leave before somebody migrated: it gives messages back and does not count as live, until it is of that version again."""
    current = head()
    with transaction(bench.slot.sessions) as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'a later one'"))
        session.execute(update(Worker).values(last_seen_at=Worker.last_seen_at - timedelta(hours=1)))
    try:
        maintenance = Maintenance(bench.slot, app)
        maintenance._beat()
        with pytest.raises(Unfit, match=r"another schema .a later one. than this version"):
            maintenance.check()
        assert not alive(bench)
        bench.slot.redis_answers = True
        maintenance._rewake()
        with transaction(bench.slot.sessions) as session:
            assert session.scalars(select(Round)).all() == [], "nor does it begin what one node does for all"
    finally:
        with transaction(bench.slot.sessions) as session:
            session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": current})
    maintenance._beat()
    maintenance.check()
    assert alive(bench)


def test_a_search_that_is_deleted_or_locked_meanwhile_does_not_end_the_reaper(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three lost steps: of the first the search is deleted between the look and the lock, the second is held by somebody."""
    benches = [bench, Bench(bench.slot), Bench(bench.slot)]
    for each in benches:
        each.claim()
    gone, held, lost = benches
    with transaction(bench.slot.sessions) as session:
        session.execute(update(Step).values(lease_expires_at=Step.lease_expires_at - timedelta(hours=1)))
    impatient = make_engine(bench.slot.settings.database_url or "", TimeOuts(lock=0.1))
    look = reap.__globals__["claims"].expired

    def look_then_lose(session: object) -> list[Step]:
        found: list[Step] = look(session)
        with transaction(bench.slot.sessions) as other:
            other.execute(delete(Job).where(Job.id == gone.job_id))
        return found

    monkeypatch.setattr("store.claims.expired", look_then_lose)
    with transaction(bench.slot.sessions) as session:
        session.execute(update(Job).where(Job.id == held.job_id).values(progress=0.5))
        reap(make_sessions(impatient))
    impatient.dispose()
    assert (held.step.state, lost.step.state) == (StepState.RUNNING, StepState.QUEUED)
