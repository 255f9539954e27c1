"""Trials on workers: asked for when they are taken, ended early by their curves, the same again for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from optuna.trial import FrozenTrial, TrialState

from store import flow, tunings
from store.session import transaction
from store.states import JobState, StepState
from store.tunings import TrialRow
from tests.store.builders import new_tuning
from tests.worker.conftest import Bench
from tests.worker.test_supervisor import supervised
from worker.slot import Slot

Wait = Callable[[Callable[[], bool]], None]


def run_all(slot: Slot, role: str = "learning", **fields: object) -> Bench:
    """A tuning whose trials one worker has run, one after another."""
    bench = Bench(slot, partial(new_tuning, **fields))
    while bench.job.state in (JobState.QUEUED, JobState.RUNNING):
        bench.run(role, bench.claim_next())
    return bench


def rows(bench: Bench) -> list[TrialRow]:
    with transaction(bench.slot.sessions) as session:
        return tunings.trials(session, bench.job_id)


def tried(bench: Bench) -> list[object]:
    """What each trial tried, found, and how its curve went."""
    return [(row.step.planned.trial, row.step.values, row.curve) for row in rows(bench)]


def studied(bench: Bench) -> list[FrozenTrial]:
    """The trials as Optuna's own tools see them."""
    return bench.slot.studies.told(bench.job_id)


def test_one_worker_runs_the_same_trials_for_the_same_seed(slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the six the last two are proposed by what the others have found, and two must be complete before any is ended early."""
    monkeypatch.setattr("store.studies._STARTUP", 4)
    monkeypatch.setattr("store.studies._COMPLETE", 2)
    first, second = (run_all(slot, trials=6, seed=5) for _ in range(2))
    assert tried(first) == tried(second)
    assert first.job.state == JobState.SUCCEEDED
    told = studied(first)
    assert [trial.state.name.lower() for trial in told] == [row.step.values["state"] for row in rows(first)]
    assert [trial.intermediate_values for trial in told] == [dict(row.curve) for row in rows(first)]
    assert {trial.state for trial in told} == {TrialState.COMPLETE, TrialState.PRUNED}
    other = run_all(slot, trials=1, seed=6)
    assert tried(other) != tried(first)[:1]


def test_a_trial_is_ended_early_though_its_engine_would_go_on_for_minutes(slot: Slot) -> None:
    bench = Bench(slot, partial(new_tuning, trials=6, pruner="median"))
    for _ in range(5):
        bench.run("learning", bench.claim_next())
    bench.run("hopeless", bench.claim_next())
    last = rows(bench)[-1]
    assert last.found is not None
    assert (last.found.state, last.found.value, last.found.epochs, last.curve) == ("pruned", 0.0, 1, [(1, 0.0)])
    assert last.step.engine_seconds < 60, "of two minutes that it would take"
    assert (bench.job.state, last.step.attempt) == (JobState.SUCCEEDED, 1)
    assert studied(bench)[-1].state == TrialState.PRUNED


def test_a_trial_that_crashes_is_told_as_failed_and_the_others_go_on(slot: Slot) -> None:
    bench = Bench(slot, partial(new_tuning, trials=4))
    bench.run("learning", bench.claim_next())
    asked = set()
    for _ in range(2):  # It has two attempts.
        claim = bench.claim_next()
        bench.run("crash", claim)
        asked.add(str(rows(bench)[1].step.planned))
    assert len(asked) == 1, "each attempt tries the same"
    failed = rows(bench)[1]
    assert failed.found is not None
    assert (failed.found.state, failed.found.error and failed.found.error["code"]) == ("failed", "engine_crashed")
    assert bench.job.state == JobState.RUNNING
    assert [trial.state for trial in studied(bench)] == [TrialState.COMPLETE, TrialState.FAIL]
    for _ in range(2):
        bench.run("learning", bench.claim_next())
    assert bench.job.state == JobState.SUCCEEDED


def test_values_that_clash_fail_their_trial_alone(slot: Slot) -> None:
    bench = Bench(slot, partial(new_tuning, trials=2))
    bench.run("learning", bench.claim_next())
    bench.run("clash", bench.claim_next())
    failed = rows(bench)[1]
    assert failed.found is not None
    assert (failed.found.state, failed.found.error and failed.found.error["code"]) == ("failed", "invalid_spec")
    assert bench.job.state == JobState.SUCCEEDED


def test_a_tuning_fails_where_none_of_its_first_trials_comes_to_its_end(slot: Slot) -> None:
    bench = Bench(slot, partial(new_tuning, trials=5))
    for _ in range(6):
        bench.run("crash", bench.claim_next())
    assert (bench.job.state, bench.job.error and bench.job.error["step"]) == (JobState.FAILED, "trial-3")
    with transaction(slot.sessions) as session:
        flow.resume(session, bench.job_id)
    before = rows(bench)[2].step.planned
    bench.run("learning", bench.claim_next())
    assert rows(bench)[2].step.planned == before
    assert rows(bench)[2].step.state == StepState.SUCCEEDED


def test_what_is_wrong_with_the_images_is_no_trial_s_own(slot: Slot) -> None:
    bench = Bench(slot, partial(new_tuning, trials=3))
    bench.run("learning", bench.claim_next())
    bench.run("named", bench.claim_next())
    assert (bench.job.state, bench.job.error and bench.job.error["code"]) == (JobState.FAILED, "data_error")


def test_stopped_by_a_cancel_it_keeps_what_it_tries(slot: Slot, wait_for: Wait) -> None:
    bench = Bench(slot, partial(new_tuning, trials=2))
    with supervised(bench, "lingering", wait_for):
        wait_for(lambda: bool(rows(bench)[0].curve))
        with transaction(slot.sessions) as session:
            flow.cancel(session, bench.job_id)
    assert bench.job.state == JobState.CANCELLED
    tries = rows(bench)[0].step.planned
    assert [trial.state for trial in studied(bench)] == [TrialState.RUNNING], "it may go on"
    with transaction(slot.sessions) as session:
        flow.resume(session, bench.job_id)
    for _ in range(2):
        bench.run("learning", bench.claim_next())
    assert rows(bench)[0].step.planned == tries
    assert [trial.state for trial in studied(bench)] == [TrialState.COMPLETE] * 2
