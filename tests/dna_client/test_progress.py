"""What the events of a search tell of it, and how that looks."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from dna_client.models import Event
from dna_client.progress import JobProgress, StepProgress
from dna_client.watch import bars, watch


def event(seq: int, name: str, **data: Any) -> Event:
    return Event(seq=seq, type=name, data={"time": f"2026-01-01T00:00:{seq:02}Z", **data})


def progress(seq: int, step: str, phase: str, done: int, parts: list[str], *, eta: float, whole: float) -> Event:
    counted = {"done": done, "total": 100, "unit": "steps", "eta_seconds": eta, "parts": parts}
    return event(seq, "progress", step=step, phase=phase, progress=whole, job_eta_seconds=3 * eta, **counted)


def step(seq: int, key: str, phase: str, state: str, attempt: int = 1, *, kind: str | None = None) -> Event:
    return event(seq, "step", step=key, kind=kind or phase, phase=phase, state=state, attempt=attempt, error=None)


EVENTS = [
    event(1, "state", state="queued", phase="teacher", error=None),
    event(2, "state", state="running", phase="teacher", error=None),
    step(2, "teacher", "teacher", "running"),
    step(12, "teacher", "teacher", "succeeded"),
    event(12, "state", state="running", phase="distill", error=None),
    step(13, "distill-1", "distill", "running"),
    step(13, "distill-2", "distill", "running"),
    progress(20, "distill-1", "distill", 50, ["b1c1", "b2c1", "b3c1"], eta=8.0, whole=0.3),
    progress(21, "distill-2", "distill", 10, ["b1c2"], eta=9.0, whole=0.32),
    event(22, "metric", step="distill-1", series="distill/b2c1/loss", x=50.0, y=0.4321),
    event(23, "log", step="distill-1", level="warning", message="the batch was made smaller"),
]


def after(events: list[Event]) -> JobProgress:
    search = JobProgress()
    for each in events:
        search.apply(each)
    return search


def test_phases_have_their_share_and_their_time() -> None:
    phases = {phase.name: phase for phase in after(EVENTS).phases}
    assert phases["teacher"].fraction == 1.0
    assert phases["teacher"].seconds == 10.0
    assert phases["distill"].fraction == pytest.approx((3 * 0.5 + 0.1) / 4)
    assert phases["distill"].seconds == 10.0
    assert phases["rate"].seconds is None


def test_waiting_is_not_a_phase_s_time() -> None:
    """Between two attempts, and until a worker came for the next phase, nothing ran."""
    search = after(
        [
            step(0, "teacher", "teacher", "running"),
            step(4, "teacher", "teacher", "queued"),
            step(10, "teacher", "teacher", "running", attempt=2),
            step(13, "teacher", "teacher", "succeeded", attempt=2),
            step(13, "distill-1", "distill", "queued"),
            step(13, "distill-2", "distill", "queued"),
            step(40, "distill-1", "distill", "running"),
            step(42, "distill-2", "distill", "running"),
            step(45, "distill-1", "distill", "succeeded"),
            event(50, "log", step="distill-2", level="info", message="on"),
        ]
    )
    seconds = {phase.name: phase.seconds for phase in search.phases}
    assert (seconds["teacher"], seconds["distill"], seconds["rate"]) == (7.0, 10.0, None)


def test_cells_show_their_latest_loss_and_time_left() -> None:
    search = after(EVENTS)
    assert [part.name for part in search.parts] == ["b1c1", "b1c2", "b2c1", "b3c1"]
    assert [part.loss for part in search.parts] == [None, None, 0.4321, None]
    assert [part.eta_seconds for part in search.parts] == [8.0, 9.0, 8.0, 8.0]
    assert (search.progress, search.eta_seconds) == (0.32, 27.0)


def test_networks_show_loss_and_accuracy() -> None:
    search = after(
        [
            event(1, "state", state="running", phase="train", error=None),
            step(2, "train-winner", "train", "running"),
            progress(3, "train-winner", "train", 25, ["winner"], eta=1.0, whole=0.9),
            event(4, "metric", step="train-winner", series="train/winner/loss", x=1.0, y=0.7),
            event(4, "metric", step="train-winner", series="train/winner/accuracy", x=1.0, y=0.95),
        ]
    )
    (part,) = search.parts
    assert (part.name, part.fraction, part.loss, part.accuracy) == ("winner", 0.25, 0.7, 0.95)


def test_success_is_complete() -> None:
    search = after([*EVENTS, event(30, "state", state="succeeded", phase="export", error=None)])
    assert search.progress == 1.0
    assert search.eta_seconds is None
    assert all(phase.fraction == 1.0 for phase in search.phases)


def render(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_bars_show_every_phase_and_cell() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(bars(after(EVENTS)))
    shown = render(console)
    for word in ("teacher", "distill", "export", "b1c1", "b3c1", "loss 0.4321", "about 27 s left", "32%"):
        assert word in shown


@pytest.mark.parametrize("columns", [60, 80])
def test_on_a_narrow_terminal_bars_give_way_to_figures(columns: int) -> None:
    console = Console(file=io.StringIO(), width=columns)
    step = StepProgress("train", "running", done=3, total=10, eta_seconds=5400.0, parts=["winner"])
    figures: dict[str, Any] = {"losses": {"winner": 0.9482}, "accuracies": {"winner": 0.6028}}
    console.print(bars(JobProgress("search", "running", "train", steps={"train-winner": step}, **figures)))
    lines = render(console).splitlines()
    assert max(map(len, lines)) <= columns
    assert " ".join(lines[-1].split()).endswith("30% 1 h 30 m left loss 0.9482 test 60.28%")


def test_a_pipe_gets_plain_lines() -> None:
    console = Console(file=io.StringIO(), width=200)
    search = watch(EVENTS, console)
    assert search.phase == "distill"
    lines = render(console).splitlines()
    assert lines[0] == "queued"
    assert "running: distill" in lines
    assert "  warning: the batch was made smaller" in lines
    assert any(line.startswith("  distill-1: 50 of 100 steps (50%)") for line in lines)


def test_what_it_waits_for_is_shown_until_it_runs() -> None:
    waits = event(2, "waiting", waiting_for="2 searches before it on the worker of here (cpu)")
    console = Console(file=io.StringIO(), width=200)
    search = watch([EVENTS[0], waits, *EVENTS[1:2]], console)
    assert render(console).splitlines()[:2] == [
        "queued",
        "  waits for 2 searches before it on the worker of here (cpu)",
    ]
    shown = Console(file=io.StringIO(), width=100)
    shown.print(bars(search))
    assert "waits for 2 searches before it" in render(shown)
    assert after([EVENTS[0], waits, *EVENTS[1:3]]).waiting_for is None


def test_a_terminal_gets_bars_and_the_messages_above_them() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    watch(EVENTS, console)
    assert "the batch was made smaller" in render(console)
    assert "b2c1" in render(console)


def test_a_training_has_the_phases_of_its_plan() -> None:
    counted = {"done": 5, "total": 10, "unit": "steps", "eta_seconds": 2.0, "parts": ["network"]}
    training = JobProgress("training")
    assert [phase.fraction for phase in training.phases] == [0.0, 0.0]
    for each in (
        event(1, "state", state="running", phase="train", error=None),
        step(2, "train", "train", "running"),
        event(4, "progress", step="train", phase="train", progress=0.4, job_eta_seconds=3.0, **counted),
    ):
        training.apply(each)
    console = Console(file=io.StringIO(), width=100)
    console.print(bars(training))
    lines = [line.split() for line in render(console).splitlines()]
    assert [line[0] for line in lines[1:]] == ["train", "export", "network"]
    assert lines[0] == ["running", "40%,", "about", "3.0", "s", "left"]


def test_steps_count_for_their_phase_not_their_kind() -> None:
    search = after(
        [
            event(0, "state", state="running", phase="rate", error=None),
            step(1, "latency", "rate", "running", kind="latency"),
            step(4, "latency", "rate", "succeeded", kind="latency"),
            step(4, "rate-1", "rate", "running"),
            event(5, "log", step="rate-1", level="info", message="on"),
        ]
    )
    [rate] = [phase for phase in search.phases if phase.name == "rate"]
    assert (rate.fraction, rate.seconds) == (0.5, 4.0)


def test_events_of_early_versions_have_their_phase_as_their_kind() -> None:
    early = step(1, "teacher", "teacher", "running")
    del early["data"]["phase"]
    search = after([early, step(4, "teacher", "teacher", "succeeded")])
    assert search.phases[0].seconds == 3.0


def test_events_of_earlier_versions_say_the_time_left_by_another_name() -> None:
    counted = {"done": 5, "total": 10, "unit": "steps", "eta_seconds": 2.0, "parts": []}
    progress = JobProgress("search")
    progress.apply(event(1, "step", step="teacher", kind="teacher", state="running", attempt=1, error=None))
    progress.apply(
        event(2, "progress", step="teacher", phase="teacher", progress=0.4, search_eta_seconds=7.0, **counted)
    )
    assert progress.eta_seconds == 7.0


def test_a_check_at_its_end_says_nothing_of_time_or_success() -> None:
    """A report may say that the images cannot be used."""
    told = io.StringIO()
    over = [
        event(1, "state", state="running", phase="check", error=None),
        progress(2, "check", "check", 100, [], eta=0.0, whole=1.0),
        event(3, "state", state="succeeded", phase="check", error=None),
    ]
    watch(over, Console(file=told), "check")
    assert told.getvalue().splitlines() == ["running: check", "  check: 100 of 100 steps (100%)", "checked"]
