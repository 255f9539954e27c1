"""Where the time of a job went."""

from __future__ import annotations

from typing import Any, cast

import pytest

from dna_client.models import Step
from dna_client.times import phase_times


def row(phase: str, queued: int, started: int, finished: int, *, engine: float) -> dict[str, Any]:
    times = {"queued_at": queued, "started_at": started, "finished_at": finished}
    return {
        "phase": phase,
        "engine_seconds": engine,
        **{name: f"2026-01-01T00:00:{at:02}Z" for name, at in times.items()},
    }


@pytest.mark.parametrize(
    ("steps", "wall"),
    [
        pytest.param([row("train", 0, 20, 30, engine=9.0)], 10.0, id="waited for a worker"),
        pytest.param([row("train", 0, 10, 20, engine=9.0), row("train", 0, 30, 35, engine=4.0)], 15.0, id="in turn"),
        pytest.param([row("train", 0, 10, 20, engine=9.0), row("train", 0, 12, 25, engine=12.0)], 15.0, id="at once"),
        pytest.param([row("train", 0, 50, 52, engine=30.0)], 30.0, id="tried again"),
    ],
)
def test_a_phase_is_as_long_as_its_steps_ran(steps: list[dict[str, Any]], wall: float) -> None:
    (phase,) = phase_times(cast("list[Step]", steps))
    assert (phase.engine, phase.wall) == (sum(step["engine_seconds"] for step in steps), wall)


def test_a_step_that_still_runs_is_in_neither_time() -> None:
    running = {**row("train", 0, 12, 0, engine=7.0), "finished_at": None}
    (phase,) = phase_times(cast("list[Step]", [row("train", 0, 2, 12, engine=9.0), running]))
    assert (phase.engine, phase.wall) == (9.0, 10.0)
