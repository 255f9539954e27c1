"""Where the time of a job went, by phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import RenderableType

from dna_client.cli import output
from dna_client.models import Step


@dataclass(frozen=True)
class PhaseTime:
    """Seconds of a phase: ``engine`` that the engine's processes ran, ``wall`` in which its steps did, without waiting."""

    name: str
    engine: float
    wall: float


def phase_times(steps: Sequence[Step]) -> list[PhaseTime]:
    """Of every phase of which a step has ended, in order; a step that still runs is in neither time."""
    ended = [step for step in steps if step["started_at"] and step["finished_at"]]
    return [_phase_time(name, ended) for name in dict.fromkeys(step["phase"] for step in ended)]


def _phase_time(name: str, ended: Sequence[Step]) -> PhaseTime:
    steps = [step for step in ended if step["phase"] == name]
    spans = [(_time(step["started_at"]), _time(step["finished_at"])) for step in steps]
    # Of a step that was tried again the row has the last attempt's span, the engine's time is that of all.
    wall = max(_covered(spans), *(step["engine_seconds"] for step in steps))
    return PhaseTime(name, sum(step["engine_seconds"] for step in steps), wall)


def times(steps: Sequence[Step]) -> RenderableType:
    """Seconds by phase, and how many engines worked at once on average: less than 1 with one worker, which also waits and writes."""
    phases = phase_times(steps)
    wall = sum(phase.wall for phase in phases)
    engine = sum(phase.engine for phase in phases)
    rows = [(phase.name, *_seconds(phase.engine, phase.wall)) for phase in phases]
    rows.append(("in all", *_seconds(engine, wall)))
    columns = ("phase", "engine", "wall", "engines at once")
    return output.table(columns, rows, right=columns[1:])


def _covered(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds that lie in at least one span."""
    covered, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        covered += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return covered


def _seconds(engine: float, wall: float) -> tuple[str, str, str]:
    return f"{engine:.1f} s", f"{wall:.1f} s", f"{engine / wall:.2f}" if wall else ""


def _time(text: str | None) -> float:
    assert text is not None
    return datetime.fromisoformat(text).timestamp()
