"""What people read while a search runs and when it is done."""

from __future__ import annotations

import io

from dna_engine.accuracy import Answers, compare, judge
from dna_engine.console import ConsoleReporter, summary_lines, table
from dna_engine.events import Failure, Log, Metric, Progress


def test_progress_is_shown_now_and_then_and_always_at_the_end() -> None:
    stream = io.StringIO()
    reporter = ConsoleReporter(stream)
    for done in range(1, 101):
        reporter.emit(Progress(done=done, total=100, eta_seconds=100 - done, parts=["b1c1"]))
    assert stream.getvalue().splitlines() == [
        "  1 of 100 steps, 99 s left (b1c1)",
        "  100 of 100 steps, 0 s left (b1c1)",
    ]


def test_logs_and_failures_are_shown_and_metrics_are_not() -> None:
    stream = io.StringIO()
    reporter = ConsoleReporter(stream)
    reporter.emit(Metric(series="train/winner/loss", x=1, y=2))
    reporter.emit(Log(message="teacher: started"))
    reporter.emit(Log(level="warning", message="small memory"))
    reporter.emit(Failure(error={"message": "no more disk"}))
    assert stream.getvalue() == "teacher: started\nwarning: small memory\nerror: no more disk\n"


def test_numbers_stand_right_and_words_left() -> None:
    assert list(table(("name", "flops"), [("a", 1234567), ("long", 8)])) == [
        "name  flops",
        "a     1,234,567",
        "long          8",
    ]


def test_the_summary_shows_what_the_winner_its_control_and_the_teacher_are() -> None:
    learned, one_class = judge(Answers([100, 1], [100, 1], [100, 1])), judge(Answers([100, 1], [100, 0], [101, 0]))
    network = {"flops": 1000, "params": 200, "loss": 0.5, "test_loss": 0.1}
    lines = list(
        summary_lines(
            {
                "networks": "123456",
                "paths": 42,
                "frontier": 7,
                "budget": {"flops": 1500},
                "teacher": {"model": "resnet10t", "test": None},
                "winner": network | {"test": learned.model_dump()},
                "control": network | {"test": one_class.model_dump()},
                "finalists": [{"name": "finalist-2", "loss": 0.5, "log_loss": 1.25, "accuracy": 0.5}],
                "comparison": compare(learned, one_class).model_dump(),
                "references": {},
                "beside": [],
                "seconds": {"teacher": 1.25, "select": 0.0},
            }
        )
    )
    assert [" ".join(line.split()) for line in lines] == [
        "123,456 networks, 42 paths rated, 7 on the frontier",
        "budget: flops 1,500",
        "network flops params test log-loss",
        "winner 1,000 200 0.1000",
        "control 1,000 200 0.1000",
        "network test accuracy 95% interval balanced",
        "winner 100.00% 96.34% to 100.00% 100.00%",
        "control 99.01% 94.60% to 99.83% 50.00% answers one class only",
        "of 101 test images; guessing reaches 50.00%, always the commonest class 99.01%",
        "finalist predicted loss log-loss after a short training accuracy",
        "finalist-2 0.500000 1.2500 50.00%",
        "The winner beats its control, which answers one class only.",
        "seconds: teacher 1.2, select 0.0",
    ]
