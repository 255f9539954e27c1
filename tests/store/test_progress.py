"""Progress and time left, from what steps report."""

from __future__ import annotations

import pytest

from dna_engine.steps import Kind
from store.progress import SHARES, Work, estimate


def test_shares_add_up() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert list(SHARES) == list(Kind)


def test_a_phase_adds_its_share() -> None:
    half = [Work(0.5, 1, 10.0)]
    assert estimate(Kind.TEACHER, half, teacher_trained=True, engine_seconds=5).progress == pytest.approx(0.1)
    assert estimate(Kind.DISTILL, half, teacher_trained=True, engine_seconds=5).progress == pytest.approx(0.35)
    done = estimate(Kind.EXPORT, [Work(1.0, 1, None)], teacher_trained=True, engine_seconds=5)
    assert done.progress == pytest.approx(1)


def test_steps_count_by_their_cells() -> None:
    work = [Work(1.0, 3, None), Work(0.0, 1, None)]
    assert estimate(Kind.DISTILL, work, teacher_trained=True, engine_seconds=1).progress == pytest.approx(
        0.2 + 0.3 * 0.75
    )


def test_the_slowest_step_and_the_later_phases_make_the_time_left() -> None:
    work = [Work(0.5, 1, 30.0), Work(0.5, 1, 40.0), Work(1.0, 2, 999.0)]
    told = estimate(Kind.DISTILL, work, teacher_trained=True, engine_seconds=42.5)
    assert told.progress == pytest.approx(0.425)
    assert told.eta_seconds == pytest.approx(40.0 + 100 * 0.5)


def test_nothing_is_said_before_anything_was_done() -> None:
    assert estimate(Kind.TEACHER, [Work(0.0, 1, None)], teacher_trained=True, engine_seconds=0).eta_seconds is None


def test_a_loaded_teacher_takes_little() -> None:
    told = estimate(Kind.DISTILL, [Work(0.0, 1, None)], teacher_trained=False, engine_seconds=1)
    assert told.progress == pytest.approx(0.02 / 0.82)
