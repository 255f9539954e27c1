"""Progress and time left, from what steps report and what is planned."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind
from dna_engine.spec import SearchSpec, resolve
from store import workers
from store.progress import Fleet, Work, Workers, estimate, plan
from store.states import StepState
from tests.store.builders import new_worker

#: Seconds on a device that nothing is known of: 200 in all.
PLAN = {
    Kind.TEACHER: [40.0],
    Kind.DISTILL: [60.0],
    Kind.RATE: [20.0],
    Kind.SELECT: [0.0],
    Kind.TRAIN: [30.0, 30.0],
    Kind.EXPORT: [5.0, 5.0, 10.0],
}
ONE = Fleet()


def done(kind: Kind, took: float, planned: float | None = None) -> Work:
    return Work(kind, StepState.SUCCEEDED, planned or PLAN[kind][0], 1.0, took)


def runs(kind: Kind, fraction: float, took: float, left: float | None = None, planned: float | None = None) -> Work:
    return Work(kind, StepState.RUNNING, planned or PLAN[kind][0], fraction, took, left)


def waits(kind: Kind) -> Work:
    return Work(kind, StepState.QUEUED, PLAN[kind][0])


def left(phase: Kind, steps: list[Work], fleet: Fleet = ONE) -> float:
    said = estimate(phase, steps, PLAN, fleet).eta_seconds
    assert said is not None
    return said


def test_progress_is_the_share_of_the_planned_work() -> None:
    assert estimate(Kind.TEACHER, [runs(Kind.TEACHER, 0.5, 5)], PLAN, ONE).progress == pytest.approx(0.1)
    split = [done(Kind.TEACHER, 9), done(Kind.DISTILL, 9, planned=45), runs(Kind.DISTILL, 0.0, 1, planned=15)]
    assert estimate(Kind.DISTILL, split, PLAN, ONE).progress == pytest.approx((40 + 45) / 200)
    exports = [done(Kind.EXPORT, 1, planned=planned) for planned in PLAN[Kind.EXPORT]]
    assert estimate(Kind.EXPORT, exports, PLAN, ONE).progress == pytest.approx(1)


def test_nothing_is_said_before_three_percent() -> None:
    assert estimate(Kind.TEACHER, [runs(Kind.TEACHER, 0.14, 5, 30)], PLAN, ONE).eta_seconds is None
    assert estimate(Kind.TEACHER, [runs(Kind.TEACHER, 0.16, 5, 30)], PLAN, ONE).eta_seconds is not None


def test_a_device_that_is_slower_than_planned_is_so_later_too() -> None:
    """The teacher takes three times its plan: so will the rest, the export with it."""
    assert left(Kind.TEACHER, [runs(Kind.TEACHER, 0.5, 60, 60)]) == pytest.approx(60 + 3 * 160)


def test_a_faster_device_does_not_export_faster() -> None:
    assert left(Kind.TEACHER, [runs(Kind.TEACHER, 0.5, 10, 10)]) == pytest.approx(10 + 0.5 * 140 + 20)


def test_what_waits_for_the_same_worker_counts() -> None:
    """The control is trained after the winner, as long as that takes: twice its plan."""
    before = [done(kind, PLAN[kind][0]) for kind in (Kind.TEACHER, Kind.DISTILL, Kind.RATE)]
    training = [*before, runs(Kind.TRAIN, 0.5, 30, 30), waits(Kind.TRAIN)]
    exports = 20 * (120 + 30) / (120 + 15)
    assert left(Kind.TRAIN, training) == pytest.approx(30 + 60 + exports)
    two = Fleet(gpu=Workers(2, 2))
    assert left(Kind.TRAIN, training, two) == pytest.approx(60 + exports)


def test_several_workers_share_what_can_be_shared() -> None:
    """Distillation and rating by cells, training by networks."""
    teacher = [runs(Kind.TEACHER, 0.5, 20, 20)]
    assert left(Kind.TEACHER, teacher, Fleet(gpu=Workers(2, 2))) == pytest.approx(20 + 30 + 10 + 30 + 20)
    assert left(Kind.TEACHER, teacher, Fleet(cpu=Workers(3, 3))) == pytest.approx(20 + 60 + 20 + 60 + 10)


def test_workers_on_one_device_share_it() -> None:
    together = Fleet(gpu=Workers(2, 1))
    assert left(Kind.TEACHER, [runs(Kind.TEACHER, 0.5, 20, 20)], together) == pytest.approx(20 + 60 + 20 + 60 + 20)
    halves = [runs(Kind.DISTILL, 0.5, 30, 30, planned=30), runs(Kind.DISTILL, 0.5, 30, 30, planned=30)]
    assert left(Kind.DISTILL, [done(Kind.TEACHER, 40), *halves], together) == pytest.approx(30 + 20 + 60 + 20)


def test_the_slowest_step_ends_the_phase() -> None:
    steps = [done(Kind.TEACHER, 40), runs(Kind.DISTILL, 0.5, 15, 15), runs(Kind.DISTILL, 0.5, 15, 40)]
    planned = left(Kind.DISTILL, steps, Fleet(gpu=Workers(2, 2)))
    assert planned == pytest.approx(left(Kind.DISTILL, [*steps[:2], steps[1]], Fleet(gpu=Workers(2, 2))) + 25)


def test_a_step_that_has_just_begun_is_planned_less_what_it_ran() -> None:
    steps = [done(Kind.TEACHER, 40), runs(Kind.DISTILL, 0.01, 5, 1000)]
    assert left(Kind.DISTILL, steps) == pytest.approx(0.99 * 60 - 5 + 20 + 60 + 20)


def test_every_phase_is_planned_and_a_loaded_teacher_takes_little() -> None:
    spec = SearchSpec(dataset="digits")
    planned = plan(resolve(spec, DIGITS))
    assert list(planned) == list(Kind)
    assert all(seconds > 0 for phase in planned.values() for seconds in phase)
    loaded = plan(
        resolve(SearchSpec.model_validate({"dataset": "digits", "teacher": {"weights": "pretrained"}}), DIGITS)
    )
    assert sum(loaded[Kind.TEACHER]) < sum(planned[Kind.TEACHER]) / 5


def test_workers_of_one_machine_s_cpu_are_one_device(session: Session) -> None:
    assert workers.fleet(session, within=timedelta(seconds=30)) == Fleet()
    for hostname in ("here", "here", "there"):
        new_worker(session, hostname=hostname)
    session.flush()
    assert workers.fleet(session, within=timedelta(seconds=30)) == Fleet(gpu=Workers(3, 2), cpu=Workers(3, 2))
