"""Which state may follow which."""

from __future__ import annotations

import pytest

from store.errors import IllegalTransition
from store.states import FINISHED, JobState, StepState, move_job, move_step


def test_legal_moves_of_a_job() -> None:
    legal = {(old, new) for old in JobState for new in JobState if _allowed(move_job, old, new)}
    assert legal == {
        ("queued", "running"),
        ("queued", "cancelled"),
        ("queued", "failed"),
        ("running", "succeeded"),
        ("running", "failed"),
        ("running", "cancelled"),
        ("failed", "queued"),
        ("cancelled", "queued"),
    }


def test_success_is_final() -> None:
    with pytest.raises(IllegalTransition, match=r"job that is succeeded cannot become queued; .* nothing else"):
        move_job(JobState.SUCCEEDED, JobState.QUEUED)
    with pytest.raises(IllegalTransition, match="step that is succeeded cannot become running"):
        move_step(StepState.SUCCEEDED, StepState.RUNNING)


def test_every_unfinished_step_can_be_cancelled_and_queued_again() -> None:
    for state in (StepState.QUEUED, StepState.RUNNING):
        assert move_step(state, StepState.CANCELLED) == StepState.CANCELLED
    for state in (StepState.RUNNING, StepState.FAILED, StepState.CANCELLED):
        assert move_step(state, StepState.QUEUED) == StepState.QUEUED


def test_finished_states() -> None:
    assert set(JobState) - FINISHED == {JobState.QUEUED, JobState.RUNNING}


def _allowed(move: object, old: object, new: object) -> bool:
    try:
        move(old, new)  # type: ignore[operator]
    except IllegalTransition:
        return False
    return True
