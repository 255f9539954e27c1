"""Jobs along their plans: finished, failed, cancelled, resumed, taken over. Most of it is shown on a search; the table at the end
shows that every kind of job goes the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dna_engine.events import Log, Metric, Progress
from dna_engine.plans import Kind, Phase
from store import architectures, attempts, claims, events, flow, jobs, steps, trainings
from store.claims import Ask, Claim
from store.errors import IllegalTransition, LeaseLost
from store.states import FINISHED, AttemptOutcome, EventType, JobState, Role, StepState
from store.tables import Job, OutboxMessage, Search, Step, Training, Worker
from tests.store.builders import (
    TEST,
    finish_phase,
    new_search,
    new_training,
    new_tuning,
    new_worker,
    next_id,
    phases,
    queued,
    succeed,
    take,
    two_groups,
)


def test_every_phase_follows_the_one_before(session: Session) -> None:
    search, worker = new_search(session, select={"finalists": 3}), new_worker(session)
    seen = []
    for _ in phases(search):
        seen.append((search.phase, len(queued(session, search))))
        before = search.progress
        finish_phase(session, search, worker)
        assert search.progress > before
    assert seen == [
        (Phase.TEACHER, 1),
        (Phase.DISTILL, 2),
        (Phase.RATE, 2),
        (Phase.FINALISTS, 3),
        (Phase.SELECT, 1),
        (Phase.TRAIN, 2),
        (Phase.EXPORT, 3),
    ]
    assert (search.state, search.progress, search.eta_seconds) == (JobState.SUCCEEDED, 1.0, None)
    assert search.started_at is not None
    assert search.finished_at is not None


def test_networks_and_trainings_come_out_of_the_results(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    for _ in (Phase.TEACHER, Phase.DISTILL, Phase.RATE, Phase.SELECT):
        finish_phase(session, search, worker)
    winner, control = architectures.of_search(session, search.id)
    assert (winner.role, winner.loss, control.role, control.loss) == (Role.WINNER, 0.5, Role.CONTROL, 0.9)
    assert search.best is not None
    assert search.best["test_accuracy"] is None
    (training,) = trainings.of_architecture(session, winner.id)
    assert (training.network, training.state) == ("winner", JobState.QUEUED)
    claim = take(session, next(s for s in queued(session, search) if s.key == "train-winner"), worker)
    flow.report(session, claim, [Progress(done=1, total=4, eta_seconds=3.0)], engine_seconds=1.0)
    assert (training.state, training.progress, training.stands.eta_seconds) == (JobState.RUNNING, 0.25, 3.0)
    succeed(session, claim)
    assert (training.state, training.test_accuracy) == (JobState.SUCCEEDED, 0.99)
    assert (winner.test_accuracy, winner.counted_flops, winner.counted_params) == (0.99, 1000, 100)
    assert search.best == {
        "architecture_id": str(winner.id),
        "loss": 0.5,
        "flops": 1000,
        "params": 100,
        "latency_ns": None,
        "test_accuracy": 0.99,
        "test": TEST,
    }
    assert control.test_accuracy is None


def test_a_search_without_a_control(session: Session) -> None:
    search, worker = new_search(session, retrain={"control": False}), new_worker(session)
    for _ in Phase:
        finish_phase(session, search, worker)
    assert search.state == JobState.SUCCEEDED
    assert session.scalar(select(func.count()).select_from(Training)) == 1


def test_a_phase_waits_for_all_of_its_steps(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    succeed(session, take(session, first, worker))
    assert search.phase == Phase.DISTILL
    succeed(session, take(session, second, worker))
    assert search.phase == Phase.RATE


def test_reports_become_rows_and_events(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    claim = take(session, queued(session, search)[0], worker)
    seq = search_seq(session, search)
    batch = [
        Progress(done=1, total=10, eta_seconds=9.0),
        Metric(series="teacher/loss", x=1, y=2.5),
        Log(level="warning", message="Slow."),
        Metric(series="teacher/loss", x=2, y=1.5),
        Progress(done=4, total=10, eta_seconds=8.0, parts=["teacher"]),
    ]
    flow.report(session, claim, batch, engine_seconds=2.0)
    step = steps.get(session, claim.step_id)
    assert (step.done, step.total, step.parts, step.engine_seconds) == (4, 10, ["teacher"], 2.0)
    assert 0 < search.progress < 0.2
    assert search.eta_seconds is not None
    assert search.eta_seconds > 8.0
    told = events.after(session, search.id, seq)
    assert [event.type for event in told] == [EventType.PROGRESS, EventType.METRIC, EventType.LOG, EventType.METRIC]
    assert told[0].data["done"] == 4
    assert told[2].data == {"step": "teacher", "level": "warning", "message": "Slow."}
    points = events.series(session, search.id, prefix="teacher/")["teacher/loss"]
    assert [(point.x, point.y) for point in points] == [(1, 2.5), (2, 1.5)]


def test_a_crash_is_tried_again_until_attempts_run_out(session: Session) -> None:
    search, worker = new_search(session, max_attempts=2), new_worker(session)
    error = {"code": "crashed", "message": "The engine ended by signal 11.", "param": None}
    step = queued(session, search)[0]
    again = flow.fail(session, take(session, step, worker), error, engine_seconds=1.0, retry=True)
    assert again == StepState.QUEUED
    assert search.state == JobState.RUNNING
    assert wakes(session, step) == 2
    at_last = flow.fail(session, take(session, step, worker), error, engine_seconds=1.0, retry=True)
    assert at_last == StepState.FAILED
    assert (search.state, search.error) == (JobState.FAILED, {**error, "step": "teacher"})


def test_an_error_in_the_spec_is_not_tried_again_and_stops_the_siblings(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    running, sibling = take(session, first, worker), take(session, second, worker)
    error = {"code": "data_error", "message": "An image cannot be read.", "param": "dataset"}
    flow.fail(session, running, error, engine_seconds=0.0, retry=False)
    assert search.state == JobState.FAILED
    assert claims.asked(session, sibling) == Ask.STOP
    assert flow.stop(session, sibling, engine_seconds=0.0) == StepState.CANCELLED
    assert search.state == JobState.FAILED


def test_a_sibling_that_stops_after_a_resume_is_queued_again(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    running, sibling = take(session, first, worker), take(session, second, worker)
    flow.fail(session, running, {"code": "x", "message": "y", "param": None}, engine_seconds=0.0, retry=False)
    flow.resume(session, search.id)
    assert flow.stop(session, sibling, engine_seconds=0.0) == StepState.QUEUED
    finish_phase(session, search, worker)
    assert search.phase == Phase.RATE


def test_resume_keeps_what_is_done(session: Session) -> None:
    search, worker = new_search(session, max_attempts=1), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    succeed(session, take(session, first, worker))
    claim = take(session, second, worker)
    flow.fail(session, claim, {"code": "x", "message": "y", "param": None}, engine_seconds=0.0, retry=False)
    flow.resume(session, search.id)
    assert (search.state, search.error, search.finished_at) == (JobState.QUEUED, None, None)
    assert [step.key for step in queued(session, search)] == [second.key]
    finish_phase(session, search, worker)
    assert search.phase == Phase.RATE
    with pytest.raises(IllegalTransition, match="Only a failed or cancelled one"):
        flow.resume(session, search.id)


def test_the_oldest_search_is_next_whatever_was_queued_first(session: Session) -> None:
    old, worker = new_search(session), new_worker(session)
    young = new_search(session)
    assert next_id(session, "gpu", "cpu") == queued(session, old)[0].id
    finish_phase(session, old, worker)
    assert queued(session, young)[0].id < queued(session, old)[0].id
    assert next_id(session, "gpu") == queued(session, old)[0].id
    flow.cancel(session, old.id)
    assert next_id(session, "gpu") == queued(session, young)[0].id
    assert next_id(session, "cpu") is None


def test_a_step_starts_anew_with_each_attempt(session: Session) -> None:
    """What it waited between two attempts is not its time."""
    search, worker = new_search(session), new_worker(session)
    step = queued(session, search)[0]
    claim = take(session, step, worker)
    began = step.started_at
    assert began is not None
    flow.stop(session, claim, engine_seconds=1.0)
    take(session, step, worker)
    assert step.started_at is not None
    assert step.started_at > began


def test_cancel_before_anything_runs(session: Session) -> None:
    search = new_search(session)
    step = queued(session, search)[0]
    flow.cancel(session, search.id)
    assert (search.state, step.state) == (JobState.CANCELLED, StepState.CANCELLED)
    assert flow.claim(session, step.id, new_worker(session), lease_seconds=60) is None
    assert flow.cancel(session, search.id).state == JobState.CANCELLED


def test_cancel_waits_for_what_runs_and_can_be_resumed(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    claim = take(session, first, worker)
    assert claims.asked(session, claim) is None
    flow.cancel(session, search.id)
    assert (search.state, second.state) == (JobState.RUNNING, StepState.CANCELLED)
    assert claims.asked(session, claim) == Ask.STOP
    assert flow.stop(session, claim, engine_seconds=1.0) == StepState.CANCELLED
    assert search.state == JobState.CANCELLED
    flow.resume(session, search.id)
    for _ in phases(search)[1:]:
        finish_phase(session, search, worker)
    assert search.state == JobState.SUCCEEDED
    with pytest.raises(IllegalTransition, match="nothing to cancel"):
        flow.cancel(session, search.id)


def test_a_step_that_ends_while_being_cancelled_counts(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    claim = take(session, queued(session, search)[0], worker)
    flow.cancel(session, search.id)
    succeed(session, claim)
    assert (search.state, search.phase) == (JobState.CANCELLED, Phase.DISTILL)
    flow.resume(session, search.id)
    assert len(queued(session, search)) == 2


@pytest.mark.parametrize("asked", ["a job that goes before it waits", None])
def test_a_step_that_is_given_back_has_used_up_no_attempt(session: Session, asked: str | None) -> None:
    """Whoever runs it was asked to yield, or leaves."""
    search, worker = new_search(session, max_attempts=1), new_worker(session)
    step = queued(session, search)[0]
    claim = take(session, step, worker)
    assert asked is None or claims.ask_to_yield(session, step.id, claim.fence, asked)
    assert claims.asked(session, claim) == (Ask.YIELD if asked else None)
    assert flow.stop(session, claim, engine_seconds=1.0) == StepState.QUEUED
    assert (step.attempt, wakes(session, step)) == (0, 2)
    [(attempt, _)] = attempts.of_job(session, search.id, after=None, limit=2)
    why = asked or "its worker was shut down"
    assert (attempt.outcome, attempt.reason) == (AttemptOutcome.RELEASED, why)
    [line] = [event for event in events.after(session, search.id, 0) if event.type == EventType.LOG]
    assert line.data["message"] == f"teacher was given back after a checkpoint and goes on from there: {why}."
    again = take(session, step, worker)
    assert again.attempt == 1
    assert claims.asked(session, again) is None, "it was asked of the attempt before"


def test_who_does_not_run_a_step_any_more_is_not_asked_to_yield_and_one_that_is_cancelled_stops(
    session: Session,
) -> None:
    search, worker = new_search(session), new_worker(session)
    step = queued(session, search)[0]
    assert not claims.ask_to_yield(session, step.id, step.fence, "it waits")
    claim = take(session, step, worker)
    assert not claims.ask_to_yield(session, step.id, claim.fence - 1, "it waits")
    assert claims.ask_to_yield(session, step.id, claim.fence, "it waits")
    assert not claims.ask_to_yield(session, step.id, claim.fence, "another waits"), "once is enough"
    flow.cancel(session, search.id)
    assert claims.asked(session, claim) == Ask.STOP
    assert flow.stop(session, claim, engine_seconds=1.0) == StepState.CANCELLED


def reap(session: Session) -> list[Step | None]:
    return [flow.reap(session, seen) for seen in claims.expired(session)]


def test_expired_leases_are_taken_over_a_number_of_times(session: Session) -> None:
    search, worker = new_search(session, max_attempts=2), new_worker(session)
    step = queued(session, search)[0]
    lost = take(session, step, worker)
    assert reap(session) == []
    assert flow.reap(session, step) is None
    expire(session, step)
    assert reap(session) == [step]
    assert step.state == StepState.QUEUED
    [said] = [event.data for event in events.after(session, search.id, 0) if event.type == EventType.LOG]
    assert said["level"] == "warning"
    assert said["message"].startswith("The worker that ran teacher was lost (attempt 1 of 2)")
    with pytest.raises(LeaseLost):
        flow.report(session, lost, [], engine_seconds=1.0)
    take(session, step, worker)
    expire(session, step)
    reap(session)
    assert (step.state, search.state) == (StepState.FAILED, JobState.FAILED)
    assert search.error is not None
    assert search.error["code"] == "worker_lost"
    assert "attempt 2 of 2" in search.error["message"]


def test_a_lost_worker_does_not_hold_up_a_cancel(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    step = queued(session, search)[0]
    take(session, step, worker)
    flow.cancel(session, search.id)
    expire(session, step)
    reap(session)
    assert (step.state, search.state) == (StepState.CANCELLED, JobState.CANCELLED)


@pytest.mark.parametrize("resolved", [{"of": "another version"}, {"job": "one of a later version"}])
def test_a_step_that_cannot_be_read_fails_and_lets_the_next_one_through(
    session: Session, resolved: dict[str, Any]
) -> None:
    search, worker = new_search(session), new_worker(session)
    step = queued(session, search)[0]
    search.resolved = resolved
    session.flush()
    assert flow.claim(session, step.id, worker, lease_seconds=60.0) is None
    assert (step.state, search.state) == (StepState.FAILED, JobState.FAILED)
    assert "another version" in (search.error or {})["message"]


def test_a_stale_fence_cannot_write(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    step = queued(session, search)[0]
    stale = take(session, step, worker)
    flow.stop(session, stale, engine_seconds=0.0)
    fresh = take(session, step, worker)
    assert fresh.fence == stale.fence + 1
    with pytest.raises(LeaseLost):
        claims.renew(session, stale, lease_seconds=60)
    with pytest.raises(LeaseLost):
        flow.report(session, stale, [], engine_seconds=0.0)
    with pytest.raises(LeaseLost):
        flow.save_checkpoint(session, stale, None)  # type: ignore[arg-type]
    with pytest.raises(LeaseLost):
        flow.succeed(session, stale, {}, [], engine_seconds=0.0, group=two_groups)
    with pytest.raises(LeaseLost):
        flow.fail(session, stale, {}, engine_seconds=0.0, retry=True)
    with pytest.raises(LeaseLost):
        flow.stop(session, stale, engine_seconds=0.0)
    claims.renew(session, fresh, lease_seconds=60)


def test_a_deleted_search_stops_its_worker(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    running, sibling = take(session, first, worker), take(session, second, worker)
    flow.fail(session, running, {"code": "x", "message": "y", "param": None}, engine_seconds=0.0, retry=False)
    jobs.delete(session, search.id)
    assert claims.asked(session, sibling) == Ask.STOP
    with pytest.raises(LeaseLost):
        flow.stop(session, sibling, engine_seconds=0.0)
    assert flow.claim(session, second.id, worker, lease_seconds=60) is None


def search_seq(session: Session, search: Search) -> int:
    return session.scalars(select(Search.event_seq).where(Search.id == search.id)).one()


def wakes(session: Session, step: Step) -> int:
    query = select(func.count()).where(OutboxMessage.payload == {"step_id": str(step.id)})
    return session.scalars(query).one()


def expire(session: Session, step: Step) -> None:
    past = func.clock_timestamp() - timedelta(seconds=1)
    session.execute(update(Step).where(Step.id == step.id).values(lease_expires_at=past))


BAD = {"code": "bad_input", "message": "teacher.safetensors is damaged.", "param": None}


def test_a_damaged_input_is_made_again_and_what_needs_it_waits(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    running, lacking = take(session, first, worker), take(session, second, worker)
    assert flow.lack(session, lacking, "teacher.safetensors", BAD) == StepState.QUEUED
    assert [step.key for step in queued(session, search)] == ["teacher", "distill-2"]
    assert search.phase == Phase.TEACHER
    assert flow.claim(session, second.id, worker, lease_seconds=60) is None
    (told,) = [event for event in events.after(session, search.id, 0) if event.type == EventType.LOG]
    assert told.data["message"] == "teacher.safetensors is damaged. teacher makes it again."
    succeed(session, running)
    assert search.phase == Phase.TEACHER  # What ran of the later phase goes on, and begins nothing.
    teacher = queued(session, search)[0]
    assert next_id(session, "gpu") == teacher.id
    woken = _wakes(session, second)
    succeed(session, take(session, teacher, worker))
    assert (search.phase, [step.key for step in queued(session, search)]) == (Phase.DISTILL, ["distill-2"])
    assert _wakes(session, second) == woken + 1
    for _ in phases(search)[1:]:
        finish_phase(session, search, worker)
    assert search.state == JobState.SUCCEEDED


def test_phases_that_are_done_are_passed_over_when_something_before_them_was_made_again(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    for _ in phases(search)[:-1]:
        finish_phase(session, search, worker)
    pictures = next(step for step in queued(session, search) if step.key == "pictures")
    flow.lack(session, take(session, pictures, worker), "cells/b1c1.safetensors", BAD)
    (again,) = [step for step in queued(session, search) if step.kind == Kind.DISTILL]
    succeed(session, take(session, again, worker))
    assert search.phase == Phase.EXPORT
    finish_phase(session, search, worker)
    assert search.state == JobState.SUCCEEDED


def test_a_training_that_is_made_again_replaces_what_it_said(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    for _ in phases(search)[:-1]:
        finish_phase(session, search, worker)
    export = next(step for step in queued(session, search) if step.key == "export-winner")
    flow.lack(session, take(session, export, worker), "winner/weights.safetensors", BAD)
    (training,) = [found for found in trainings.of_search(session, search.id) if found.network == "winner"]
    assert training.state == JobState.QUEUED
    finish_phase(session, search, worker)
    assert (training.state, training.test_accuracy) == (JobState.SUCCEEDED, 0.99)
    finish_phase(session, search, worker)
    assert search.state == JobState.SUCCEEDED


def test_what_cannot_be_made_again_fails_once_and_is_named(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    for _ in phases(search)[:4]:
        finish_phase(session, search, worker)
    claim = take(session, queued(session, search)[0], worker)
    error = {"code": "bad_input", "message": "winner/architecture.json is gone.", "param": None}
    assert flow.lack(session, claim, "winner/architecture.json", error) == StepState.FAILED
    assert (search.state, search.error) == (JobState.FAILED, {**error, "step": "train-winner"})


def test_what_is_damaged_again_and_again_ends(session: Session) -> None:
    search, worker = new_search(session, max_attempts=2), new_worker(session)
    finish_phase(session, search, worker)
    step = queued(session, search)[0]
    assert flow.lack(session, take(session, step, worker), "teacher.json", BAD) == StepState.QUEUED
    succeed(session, take(session, queued(session, search)[0], worker))
    assert flow.lack(session, take(session, step, worker), "teacher.json", BAD) == StepState.FAILED
    assert search.state == JobState.FAILED
    flow.resume(session, search.id)
    for _ in phases(search)[1:]:
        finish_phase(session, search, worker)
    assert search.state == JobState.SUCCEEDED


def test_a_search_that_is_cancelled_while_something_is_made_again_can_be_resumed(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    finish_phase(session, search, worker)
    first, second = queued(session, search)
    flow.lack(session, take(session, first, worker), "teacher.json", BAD)
    flow.cancel(session, search.id)
    assert search.state == JobState.CANCELLED
    flow.resume(session, search.id)
    assert [step.key for step in queued(session, search)] == ["teacher", first.key, second.key]
    succeed(session, take(session, queued(session, search)[0], worker))
    for _ in phases(search)[1:]:
        finish_phase(session, search, worker)
    assert search.state == JobState.SUCCEEDED


def _wakes(session: Session, step: Step) -> int:
    messages = session.scalars(select(OutboxMessage))
    return sum(message.payload["step_id"] == str(step.id) for message in messages)


# --- one machine for all kinds of job

NEW: dict[str, Callable[[Session], Job]] = {
    "search": lambda session: new_search(session, max_attempts=2),
    "training": lambda session: new_training(session, max_attempts=2),
    "tuning": lambda session: new_tuning(session, max_attempts=2),
}
ERROR = {"code": "x", "message": "It did not go well.", "param": None}


@dataclass
class Case:
    """A job in its first phase, and a worker that may take its step."""

    session: Session
    job: Job
    worker: Worker

    @property
    def step(self) -> Step:
        return steps.of_job(self.session, self.job.id)[0]

    def take(self) -> Claim:
        return take(self.session, self.step, self.worker)

    def fail(self, claim: Claim, *, retry: bool) -> None:
        flow.fail(self.session, claim, ERROR, engine_seconds=0.0, retry=retry)

    def fail_for_good(self) -> None:
        self.fail(self.take(), retry=False)

    def lose(self) -> None:
        self.take()
        expire(self.session, self.step)
        reap(self.session)

    def stop_after_cancel(self) -> None:
        claim = self.take()
        flow.cancel(self.session, self.job.id)
        flow.stop(self.session, claim, engine_seconds=0.0)

    def finish(self) -> None:
        while self.job.state != JobState.SUCCEEDED:
            finish_phase(self.session, self.job, self.worker)


#: What happens, and the states of the job and of its first step afterwards.
EVENTS: dict[str, tuple[Callable[[Case], object], JobState, StepState]] = {
    "nothing": (lambda case: None, JobState.QUEUED, StepState.QUEUED),
    "claimed": (lambda case: case.take(), JobState.RUNNING, StepState.RUNNING),
    "succeeded": (lambda case: succeed(case.session, case.take()), JobState.RUNNING, StepState.SUCCEEDED),
    "crashed once": (lambda case: case.fail(case.take(), retry=True), JobState.RUNNING, StepState.QUEUED),
    "crashed too often": (
        lambda case: [case.fail(case.take(), retry=True) for _ in range(2)],
        JobState.FAILED,
        StepState.FAILED,
    ),
    "cannot go better": (Case.fail_for_good, JobState.FAILED, StepState.FAILED),
    "worker left": (
        lambda case: flow.stop(case.session, case.take(), engine_seconds=0.0),
        JobState.RUNNING,
        StepState.QUEUED,
    ),
    "worker lost": (Case.lose, JobState.RUNNING, StepState.QUEUED),
    "worker lost too often": (lambda case: [case.lose() for _ in range(2)], JobState.FAILED, StepState.FAILED),
    "input gone": (
        lambda case: flow.lack(case.session, case.take(), "no/such.file", ERROR),
        JobState.FAILED,
        StepState.FAILED,
    ),
    "cancelled": (lambda case: flow.cancel(case.session, case.job.id), JobState.CANCELLED, StepState.CANCELLED),
    "cancelled while it runs": (
        lambda case: (case.take(), flow.cancel(case.session, case.job.id)),
        JobState.RUNNING,
        StepState.RUNNING,
    ),
    "stopped after a cancel": (Case.stop_after_cancel, JobState.CANCELLED, StepState.CANCELLED),
    "done before it saw the cancel": (
        lambda case: [
            claim := case.take(),
            flow.cancel(case.session, case.job.id),
            succeed(case.session, claim),
        ],
        JobState.CANCELLED,
        StepState.SUCCEEDED,
    ),
    "resumed after failing": (
        lambda case: (case.fail_for_good(), flow.resume(case.session, case.job.id)),
        JobState.QUEUED,
        StepState.QUEUED,
    ),
    "resumed after a cancel": (
        lambda case: (case.stop_after_cancel(), flow.resume(case.session, case.job.id)),
        JobState.QUEUED,
        StepState.QUEUED,
    ),
    "finished": (Case.finish, JobState.SUCCEEDED, StepState.SUCCEEDED),
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("kind", NEW)
def test_every_kind_of_job_goes_the_same_way(session: Session, kind: str, event: str) -> None:
    case = Case(session, NEW[kind](session), new_worker(session))
    happens, job_state, step_state = EVENTS[event]
    happens(case)
    assert (case.job.state, case.step.state) == (job_state, step_state)
    assert (case.job.finished_at is not None) == (job_state in FINISHED)
    assert (case.job.error is not None) == (job_state == JobState.FAILED)
    told = [event.data for event in events.after(session, case.job.id, 0) if event.type == EventType.STATE]
    assert (told[-1]["state"], told[-1]["error"]) == (job_state, case.job.error)


@pytest.mark.parametrize("event", [event for event, (_, state, _) in EVENTS.items() if state != JobState.SUCCEEDED])
@pytest.mark.parametrize("kind", NEW)
def test_whatever_happened_every_kind_of_job_can_still_be_brought_to_its_end(
    session: Session, kind: str, event: str
) -> None:
    case = Case(session, NEW[kind](session), new_worker(session))
    EVENTS[event][0](case)
    if case.step.state == StepState.RUNNING:
        flow.stop(session, claims.of_worker(session, case.worker) or pytest.fail("nothing runs"), engine_seconds=0.0)
    if case.job.state in FINISHED:
        flow.resume(session, case.job.id)
    case.finish()
    assert case.job.progress == 1.0
    with pytest.raises(IllegalTransition, match=f"The {kind} has succeeded"):
        flow.resume(session, case.job.id)


def test_the_steps_of_a_training_alone(session: Session) -> None:
    job, worker = new_training(session), new_worker(session)
    seen = []
    while job.state != JobState.SUCCEEDED:
        seen.append((job.phase, [step.key for step in queued(session, job)]))
        finish_phase(session, job, worker)
    assert seen == [(Phase.TRAIN, ["train"]), (Phase.EXPORT, ["export"])]
    training = trainings.get(session, job.id)
    assert (training.alone, training.state, training.test_accuracy) == (True, JobState.SUCCEEDED, 0.99)
