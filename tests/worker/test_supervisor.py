"""How a step ends, with real processes in the engine's place: what is written, and what happens next."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import text, update

from store import artifacts, claims, events, flow
from store.session import transaction
from store.states import EventType, JobState, StepState
from store.tables import Step
from tests.worker.conftest import Bench
from worker.lease import Lease
from worker.slot import Slot

#: Roles that go on until they are ended.
ROLES = (["slow"], ["deaf"])

Wait = Callable[[Callable[[], bool]], None]


def logged(bench: Bench) -> list[str]:
    with transaction(bench.slot.sessions) as session:
        told = events.after(session, bench.job_id, 0)
    return [event.data["message"] for event in told if event.type == EventType.LOG]


def running(bench: Bench) -> list[psutil.Process]:
    """Actors that are not merely waiting for a step."""
    children = psutil.Process(os.getpid()).children()
    return [process for process in children if process.cmdline()[-1:] in ROLES]


@contextmanager
def supervised(bench: Bench, role: str, wait_for: Wait) -> Iterator[None]:
    """Inside the block a first report of the actor has been written; at its end supervising has ended, long before a minute."""
    thread = threading.Thread(target=lambda: bench.run(role))
    thread.start()
    wait_for(lambda: bench.step.total > 0)
    yield
    thread.join(50.0)  # Before what is deaf would end by itself.
    assert not thread.is_alive()
    assert running(bench) == []


def test_a_result_is_stored_and_the_next_phase_queued(bench: Bench) -> None:
    step = bench.run("good")
    assert (step.state, step.values, step.device) == (StepState.SUCCEEDED, {"test_accuracy": 0.5}, "cpu")
    assert 0 < step.engine_seconds < 10
    assert bench.job.phase == "distill"
    assert [(later.key, later.state) for later in bench.job.steps[1:]] == [("distill-1", StepState.QUEUED)]
    with transaction(bench.slot.sessions) as session:
        stored = artifacts.named(session, bench.job_id, ["teacher.json", "teacher.safetensors"])
        points = events.series(session, bench.job_id)["teacher/loss"]
    content = b"".join(bench.slot.blobs.read(artifacts.blob(stored["teacher.json"])))
    assert content == b"teacher.json of teacher"
    assert [(point.x, point.y) for point in points] == [(1, 0.25), (2, 0.125)]
    assert logged(bench) == ["a library prints this"]


def test_what_the_engine_names_fails_the_search_at_once(bench: Bench) -> None:
    assert bench.run("named").state == StepState.FAILED
    error = {"code": "data_error", "message": "Image 3 is broken.", "param": "dataset", "step": "teacher"}
    assert (bench.job.state, bench.job.error) == (JobState.FAILED, error)


@pytest.mark.parametrize(
    ("role", "code", "words"),
    [
        ("crash", "engine_crashed", "RuntimeError: something odd"),
        ("killed", "engine_killed", "memory ran out"),
        ("silent", "engine_incomplete", "nothing to say"),
    ],
)
def test_a_crash_is_tried_again_until_attempts_are_used_up(bench: Bench, role: str, code: str, words: str) -> None:
    step = bench.run(role)
    assert (step.state, step.attempt) == (StepState.QUEUED, 1)
    assert bench.run(role).state == StepState.FAILED
    error = bench.job.error
    assert error is not None
    assert (error["code"], bench.job.state) == (code, JobState.FAILED)
    assert words in error["message"]


def test_a_promised_file_that_is_missing_fails_the_step(bench: Bench) -> None:
    assert bench.run("forgetful").state == StepState.FAILED
    assert "teacher.json" in (bench.step.error or {})["message"]


def test_a_second_attempt_is_not_a_third(bench: Bench) -> None:
    bench.run("crash")
    assert not any("begins anew" in line for line in logged(bench))
    assert bench.run("good").state == StepState.SUCCEEDED
    assert bench.job.error is None
    assert logged(bench).count("teacher begins anew: there is no checkpoint of it.") == 1


def test_cancelled_it_writes_a_checkpoint_and_a_resume_goes_on_from_there(bench: Bench, wait_for: Wait) -> None:
    with supervised(bench, "slow", wait_for):
        wait_for(lambda: bench.step.done >= 1)
        with transaction(bench.slot.sessions) as session:
            flow.cancel(session, bench.job_id)
    assert (bench.step.state, bench.job.state) == (StepState.CANCELLED, JobState.CANCELLED)
    with transaction(bench.slot.sessions) as session:
        flow.resume(session, bench.job_id)
        stored = artifacts.named(session, bench.job_id, ["checkpoints/teacher.safetensors"])
    reached = b"".join(bench.slot.blobs.read(artifacts.blob(stored["checkpoints/teacher.safetensors"]))).decode()
    # Another machine: nothing of the first attempt lies there.
    bench.slot.settings = bench.slot.settings.model_copy(update={"data_dir": bench.slot.settings.data_dir / "other"})
    assert bench.run("brisk").state == StepState.SUCCEEDED
    assert 1 <= int(reached) < 99  # Of 100: it did not work to its end first.
    assert logged(bench)[-1] == f"from {reached}"
    assert not any("begins anew" in line for line in logged(bench))
    with transaction(bench.slot.sessions) as session:
        assert artifacts.named(session, bench.job_id, ["checkpoints/teacher.safetensors"]) == {}


def test_what_ignores_a_cancel_is_killed_with_its_children(bench: Bench, wait_for: Wait) -> None:
    with supervised(bench, "deaf", wait_for):
        [engine] = running(bench)
        family = [engine, *engine.children()]
        with transaction(bench.slot.sessions) as session:
            flow.cancel(session, bench.job_id)
    assert bench.job.state == JobState.CANCELLED
    assert len(family) == 2
    wait_for(lambda: all(not member.is_running() or member.status() == psutil.STATUS_ZOMBIE for member in family))


@pytest.mark.parametrize("why", ["leaves", "yields"])
def test_a_worker_that_leaves_or_yields_puts_its_step_back(bench: Bench, wait_for: Wait, why: str) -> None:
    with supervised(bench, "slow", wait_for):
        if why == "leaves":
            bench.slot.stopping.set()
        else:
            with transaction(bench.slot.sessions) as session:
                assert claims.ask_to_yield(session, bench.step.id, bench.step.fence, "a job that goes before it waits")
    assert (bench.step.state, bench.step.attempt) == (StepState.QUEUED, 0)
    assert bench.job.state == JobState.RUNNING
    assert "checkpoints/teacher.safetensors" in bench.files


def test_a_lost_lease_ends_the_engine_and_writes_nothing(bench: Bench, wait_for: Wait) -> None:
    bench.slot.settings = bench.slot.settings.model_copy(update={"lease_renew_seconds": 0.1})
    with supervised(bench, "slow", wait_for), transaction(bench.slot.sessions) as session:
        session.execute(update(Step).where(Step.id == bench.step.id).values(fence=7, values={"by": "another"}))
    assert (bench.step.state, bench.step.fence, bench.step.values) == (StepState.RUNNING, 7, {"by": "another"})


def test_a_lease_is_renewed_while_the_engine_works(bench: Bench, wait_for: Wait) -> None:
    bench.slot.settings = bench.slot.settings.model_copy(update={"lease_renew_seconds": 0.1})
    claim = bench.claim()
    thread = threading.Thread(target=lambda: bench.run("brisk", claim))
    thread.start()
    ends = set()
    while thread.is_alive():
        ends.add(bench.step.lease_expires_at)
        time.sleep(0.05)
    assert bench.step.state == StepState.SUCCEEDED
    assert len(ends - {None}) > 2


def test_a_lease_runs_out_while_the_database_keeps_its_answer(bench: Bench) -> None:
    """Somebody holds the table, so the look at the lease does not come back."""
    short = {"lease_renew_seconds": 0.1, "lease_seconds": 0.3}
    settings, claim = bench.slot.settings.model_copy(update=short), bench.claim()
    with transaction(bench.slot.sessions) as session:
        session.execute(text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
        with Lease(bench.slot.sessions, settings, claim) as lease:
            lost = lease.lost.wait(60.0)
            session.rollback()
    assert lost


def test_a_lease_ends_in_silence_with_the_step(bench: Bench, caplog: pytest.LogCaptureFixture, wait_for: Wait) -> None:
    """The step has succeeded, and its supervisor has not come to the end of the lease yet."""
    claim, settings = bench.claim(), bench.slot.settings.model_copy(update={"lease_renew_seconds": 0.01})
    bench.run("good", claim)
    caplog.clear()
    with Lease(bench.slot.sessions, settings, claim) as lease:
        wait_for(lambda: not lease._threads[0].is_alive())
    assert not lease.lost.is_set()
    assert caplog.messages == []


def test_a_lease_goes_on_after_what_nobody_foresaw(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("store.claims.asked", fail)
    with Lease(bench.slot.sessions, bench.slot.settings, bench.claim()) as lease:
        assert not lease.stop.wait(0.3)
        monkeypatch.undo()
        with transaction(bench.slot.sessions) as session:
            flow.cancel(session, bench.job_id)
        assert lease.stop.wait(60.0)


def test_a_database_that_breaks_off_loses_nothing(bench: Bench, slot: Slot, wait_for: Wait) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with supervised(bench, "brisk", wait_for):
        for _ in range(5):
            with transaction(slot.sessions) as session:
                session.execute(text(others))
            time.sleep(0.05)
    assert bench.step.state == StepState.SUCCEEDED
    assert bench.step.attempt == 1
