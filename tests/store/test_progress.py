"""Progress and time left, from what steps report and what is planned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind, Phase
from dna_engine.space.architecture import published
from dna_engine.spec import SearchSpec, TrainingSpec, resolve, resolve_training
from store import workers
from store.progress import Fleet, Work, Workers, estimate, planned
from store.states import StepState
from tests.store.builders import new_worker

#: Seconds on a device that nothing is known of: 200 in all.
PLAN = {
    Phase.TEACHER: [(Kind.TEACHER, 40.0)],
    Phase.DISTILL: [(Kind.DISTILL, 60.0)],
    Phase.RATE: [(Kind.RATE, 20.0)],
    Phase.SELECT: [(Kind.SELECT, 0.0)],
    Phase.TRAIN: [(Kind.TRAIN, 30.0), (Kind.TRAIN, 30.0)],
    Phase.EXPORT: [(Kind.EXPORT, 5.0), (Kind.EXPORT, 5.0), (Kind.PICTURES, 10.0)],
}
ONE = Fleet()


def plan_of_first(kind: Kind) -> float:
    return PLAN[Phase(kind)][0][1]


def done(kind: Kind, took: float, planned: float | None = None) -> Work:
    return Work(kind, Phase(kind), StepState.SUCCEEDED, planned or plan_of_first(kind), 1.0, took)


def runs(kind: Kind, fraction: float, took: float, left: float | None = None, planned: float | None = None) -> Work:
    return Work(kind, Phase(kind), StepState.RUNNING, planned or plan_of_first(kind), fraction, took, left)


def waits(kind: Kind) -> Work:
    return Work(kind, Phase(kind), StepState.QUEUED, plan_of_first(kind))


def left(phase: Phase, steps: list[Work], fleet: Fleet = ONE) -> float:
    said = estimate(phase, steps, PLAN, fleet).eta_seconds
    assert said is not None
    return said


def test_progress_is_the_share_of_the_planned_work() -> None:
    assert estimate(Phase.TEACHER, [runs(Kind.TEACHER, 0.5, 5)], PLAN, ONE).progress == pytest.approx(0.1)
    split = [done(Kind.TEACHER, 9), done(Kind.DISTILL, 9, planned=45), runs(Kind.DISTILL, 0.0, 1, planned=15)]
    assert estimate(Phase.DISTILL, split, PLAN, ONE).progress == pytest.approx((40 + 45) / 200)
    exports = [Work(kind, Phase.EXPORT, StepState.SUCCEEDED, planned, 1.0, 1.0) for kind, planned in PLAN[Phase.EXPORT]]
    assert estimate(Phase.EXPORT, exports, PLAN, ONE).progress == pytest.approx(1)


def test_nothing_is_said_before_three_percent() -> None:
    assert estimate(Phase.TEACHER, [runs(Kind.TEACHER, 0.14, 5, 30)], PLAN, ONE).eta_seconds is None
    assert estimate(Phase.TEACHER, [runs(Kind.TEACHER, 0.16, 5, 30)], PLAN, ONE).eta_seconds is not None


def test_a_device_that_is_slower_than_planned_is_so_later_too() -> None:
    """The teacher takes three times its plan: so will the rest, the export with it."""
    assert left(Phase.TEACHER, [runs(Kind.TEACHER, 0.5, 60, 60)]) == pytest.approx(60 + 3 * 160)


def test_a_slow_beginning_is_no_slow_device() -> None:
    """The teacher has learned for 20 s of the 60 that its engine ran, as fast as planned."""
    assert left(Phase.TEACHER, [runs(Kind.TEACHER, 0.5, 60, 20)]) == pytest.approx(20 + 160)


def test_a_faster_device_does_not_export_faster() -> None:
    assert left(Phase.TEACHER, [runs(Kind.TEACHER, 0.5, 10, 10)]) == pytest.approx(10 + 0.5 * 140 + 20)


def test_what_waits_for_the_same_worker_counts() -> None:
    """The control is trained after the winner, as long as that takes: twice its plan."""
    before = [done(kind, plan_of_first(kind)) for kind in (Kind.TEACHER, Kind.DISTILL, Kind.RATE)]
    training = [*before, runs(Kind.TRAIN, 0.5, 30, 30), waits(Kind.TRAIN)]
    exports = 20 * (120 + 30) / (120 + 15)
    assert left(Phase.TRAIN, training) == pytest.approx(30 + 60 + exports)
    two = Fleet(gpu=Workers(2, 2))
    assert left(Phase.TRAIN, training, two) == pytest.approx(60 + exports)


def test_several_workers_share_what_can_be_shared() -> None:
    """Distillation and rating by cells, training by networks."""
    teacher = [runs(Kind.TEACHER, 0.5, 20, 20)]
    assert left(Phase.TEACHER, teacher, Fleet(gpu=Workers(2, 2))) == pytest.approx(20 + 30 + 10 + 30 + 20)
    assert left(Phase.TEACHER, teacher, Fleet(cpu=Workers(3, 3))) == pytest.approx(20 + 60 + 20 + 60 + 10)


def test_workers_on_one_device_share_it() -> None:
    together = Fleet(gpu=Workers(2, 1))
    assert left(Phase.TEACHER, [runs(Kind.TEACHER, 0.5, 20, 20)], together) == pytest.approx(20 + 60 + 20 + 60 + 20)
    halves = [runs(Kind.DISTILL, 0.5, 30, 30, planned=30), runs(Kind.DISTILL, 0.5, 30, 30, planned=30)]
    assert left(Phase.DISTILL, [done(Kind.TEACHER, 40), *halves], together) == pytest.approx(30 + 20 + 60 + 20)


def test_who_is_left_alone_on_a_device_has_all_of_it() -> None:
    """Winner and control train at half speed beside one another, the control alone when the winner is done, the exports alike."""
    before = [done(kind, plan_of_first(kind)) for kind in (Kind.TEACHER, Kind.DISTILL, Kind.RATE)]
    training = [*before, runs(Kind.TRAIN, 0.5, 30, 30), runs(Kind.TRAIN, 0.25, 30, 90)]
    exports = 20 * (120 + 15 + 15) / (120 + 15 + 7.5)
    assert left(Phase.TRAIN, training, Fleet(Workers(2, 1), Workers(2, 1))) == pytest.approx(15 + 45 + exports)


def test_the_slowest_step_ends_the_phase() -> None:
    slow = runs(Kind.DISTILL, 0.5, 40, 40, planned=160)
    steps = [done(Kind.TEACHER, 20), runs(Kind.DISTILL, 0.5, 15, 15), slow]
    planned = left(Phase.DISTILL, steps, Fleet(gpu=Workers(2, 2)))
    assert planned == pytest.approx(left(Phase.DISTILL, [*steps[:2], steps[1]], Fleet(gpu=Workers(2, 2))) + 25)


def test_a_step_that_has_just_begun_is_planned_less_what_it_ran() -> None:
    steps = [done(Kind.TEACHER, 40), runs(Kind.DISTILL, 0.01, 5, 1000)]
    assert left(Phase.DISTILL, steps) == pytest.approx(0.99 * 60 - 5 + 20 + 60 + 20)


def test_every_phase_is_planned_and_a_loaded_teacher_takes_little() -> None:
    spec = SearchSpec(dataset="digits")
    plan = planned(resolve(spec, DIGITS))
    others = (Phase.CHECK, Phase.TRIALS, Phase.LATENCY, Phase.TIME)  # The last two where latency is limited.
    assert list(plan) == [phase for phase in Phase if phase not in others]
    assert all(seconds > 0 for phase in plan.values() for _, seconds in phase)
    loaded = planned(
        resolve(SearchSpec.model_validate({"dataset": "digits", "teacher": {"weights": "pretrained"}}), DIGITS)
    )
    assert loaded[Phase.TEACHER][0][1] < plan[Phase.TEACHER][0][1] / 5


def test_a_training_alone_is_planned_by_what_its_network_costs() -> None:
    def trained(**fields: Any) -> float:
        spec = TrainingSpec.model_validate({"architecture": "any", "dataset": "digits", **fields})
        plan = planned(resolve_training(spec, published("dna-a"), DIGITS))
        assert list(plan) == [Phase.TRAIN, Phase.EXPORT]
        return plan[Phase.TRAIN][0][1]

    assert trained(epochs=20) == pytest.approx(2 * trained(epochs=10), rel=0.01)
    assert trained(epochs=10, input_size=64) < trained(epochs=10, input_size=128) / 3


def test_workers_of_one_machine_s_cpu_are_one_device(session: Session) -> None:
    assert workers.fleet(session, within=timedelta(seconds=30)) == Fleet()
    for hostname in ("here", "here", "there"):
        new_worker(session, hostname=hostname)
    session.flush()
    assert workers.fleet(session, within=timedelta(seconds=30)) == Fleet(gpu=Workers(3, 2), cpu=Workers(3, 2))
