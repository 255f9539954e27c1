"""Errors in words that say what to do, and which attempts are worth repeating."""

from __future__ import annotations

from dna_engine.errors import StepFailed
from dna_engine.events import Failure
from worker.failures import TAIL, explain


def test_what_the_engine_names_is_kept_and_not_tried_again() -> None:
    error = {"code": "data_error", "message": "Image 3 is broken.", "param": "dataset"}
    problem = explain(2, Failure(error=error), "Traceback")
    assert problem.error == error
    assert not problem.retry


def test_an_interruption_nobody_asked_for_is_tried_again() -> None:
    assert explain(130, Failure(error={"code": "interrupted", "message": "Told to stop.", "param": None}), "").retry


def test_a_process_that_was_lost_among_several_is_tried_again_with_what_was_logged() -> None:
    error = {"code": "process_lost", "message": "One of the 2 processes ended.", "param": None}
    problem = explain(1, Failure(error=error), "exitcode: -9")
    assert problem.error == error | {"message": "One of the 2 processes ended. Its last lines:\nexitcode: -9"}
    assert problem.retry


def test_what_would_come_again_is_not_tried_again_and_has_the_last_lines() -> None:
    error = StepFailed("teacher", AssertionError("Input height (32) doesn't match model (224).")).to_dict()
    problem = explain(1, Failure(error=error), "in forward")
    assert problem.error["message"] == f"{error['message']} Its last lines:\nin forward"
    assert not problem.retry


def test_a_kill_points_at_memory() -> None:
    problem = explain(-9, None, "")
    assert problem.error["code"] == "engine_killed"
    assert "memory ran out" in problem.error["message"]
    assert problem.retry


def test_a_crash_shows_the_end_of_what_was_logged() -> None:
    problem = explain(-11, None, "x" * 10_000 + "\x00the end")
    assert "SIGSEGV" in problem.error["message"]
    assert problem.error["message"].endswith("\ufffdthe end")
    assert len(problem.error["message"]) < TAIL + 100
    assert "exit code 1" in explain(1, None, "").error["message"]


def test_an_end_without_a_result_is_a_problem() -> None:
    assert explain(0, None, "").error["code"] == "engine_incomplete"
