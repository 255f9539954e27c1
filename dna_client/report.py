"""What a finished search found, and where its time went, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dna_client.cli import output
from dna_client.models import PHASES, Accuracy, FrontierPoint, Search, Step


@dataclass(frozen=True)
class PhaseTime:
    """Seconds of a phase: ``engine`` that the engine's processes ran, ``wall`` in which its steps did, without waiting."""

    name: str
    engine: float
    wall: float


def phase_times(search: Search) -> list[PhaseTime]:
    """Of every phase of which a step has ended, in order; a step that still runs is in neither time."""
    found = []
    for phase in PHASES:
        ended = (step for step in search["steps"] if step["started_at"] and step["finished_at"])
        steps = [step for step in ended if step["kind"] == phase]
        spans = [(_time(step["started_at"]), _time(step["finished_at"])) for step in steps]  # type: ignore[arg-type]
        if spans:
            # Of a step that was tried again the row has the last attempt's span, the engine's time is that of all.
            wall = max(_covered(spans), *(step["engine_seconds"] for step in steps))
            found.append(PhaseTime(phase, sum(step["engine_seconds"] for step in steps), wall))
    return found


def _covered(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds that lie in at least one span."""
    covered, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        covered += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return covered


def result(search: Search) -> RenderableType:
    """The networks side by side, and the time by phase: what there is of them while the search is under way."""
    parts: list[RenderableType] = []
    if search["architectures"] or _teacher(search["steps"]):
        parts.append(networks(search))
    if phase_times(search):
        parts += [*([""] if parts else []), times(search)]
    return Group(*parts)


def networks(search: Search) -> RenderableType:
    """Winner, control and those selected afterwards, beside the teacher: what they cost and what they reach."""
    reached = accuracies(search)
    return Group(costs(search), *(["", *reached] if reached else []))


def costs(search: Search) -> RenderableType:
    """What each network costs, and its predicted loss."""
    rows = [
        (
            network["role"],
            output.count(network["flops"]),
            output.count(network["params"]),
            output.loss(network["loss"]),
            network["id"],
        )
        for network in search["architectures"]
    ]
    teacher = _teacher(search["steps"])
    row = (
        f"teacher {search['spec']['teacher']['model']}",
        output.count(teacher.get("flops")),
        output.count(teacher.get("params")),
        "",
        "",
    )
    columns = ("network", "flops", "params", "predicted loss", "architecture")
    return output.table(
        columns, [*rows, row], right=columns[1:4], ids=("architecture",), droppable=("params", "predicted loss")
    )


def accuracies(search: Search) -> list[RenderableType]:
    """What each trained network reaches, what is reached without looking at an image, and what the search was worth.

    Each line has at most 80 characters; nothing while nothing is trained.
    """
    teacher = _teacher(search["steps"])
    reached: list[tuple[str, float | None, Accuracy | None]] = [
        *((network["role"], network["test_accuracy"], network["test"]) for network in search["architectures"]),
        ("teacher", teacher.get("accuracy"), teacher.get("test")),
    ]
    rows = [_reached(name, accuracy, test) for name, accuracy, test in reached if accuracy is not None]
    if not rows:
        return []
    columns = ("network", "test accuracy", "95% interval", "balanced", "")
    lines: list[RenderableType] = [
        output.table(columns, rows, right=columns[1:4], droppable=("balanced", "95% interval"))
    ]
    if test := next((test for _, _, test in reached if test), None):
        guessed, commonest = output.percent(test["chance"]), output.percent(test["majority"])
        lines.append(
            f"{test['images']:,} test images: guessing reaches {guessed}, always the commonest class {commonest}."
        )
    if comparison := search.get("comparison"):
        lines.append(comparison["says"])
    return lines


def _reached(name: str, accuracy: float, test: Accuracy | None) -> tuple[str | Text, ...]:
    if test is None:
        return name, output.percent(accuracy), "", "", ""
    low, high = test["interval"]
    return (
        name,
        output.percent(accuracy),
        f"{100 * low:.2f} to {output.percent(high)}",
        output.percent(test["balanced_accuracy"]),
        Text(test["verdict"] or "", "yellow"),
    )


def times(search: Search) -> RenderableType:
    """Seconds by phase, and the share of the search's time in which the engine worked."""
    phases = phase_times(search)
    wall = sum(phase.wall for phase in phases)
    engine = sum(phase.engine for phase in phases)
    rows = [(phase.name, *_seconds(phase.engine, phase.wall)) for phase in phases]
    rows.append(("in all", *_seconds(engine, wall)))
    columns = ("phase", "engine", "wall", "engine's share")
    return output.table(columns, rows, right=columns[1:])


def frontier(points: Sequence[FrontierPoint], cost: str, *, shown: int) -> RenderableType:
    """``shown`` points spread evenly over the frontier, its two ends among them."""
    last = len(points) - 1
    picked = sorted(
        {round(index * last / max(1, shown - 1)) for index in range(shown)} if last > shown else range(last + 1)
    )
    rows = [
        (
            output.count(points[index][cost]),  # type: ignore[literal-required]
            output.count(points[index]["params" if cost == "flops" else "flops"]),
            output.loss(points[index]["loss"]),
            output.ops(points[index]["architecture"]),
        )
        for index in picked
    ]
    other = "params" if cost == "flops" else "flops"
    return output.table(
        (cost, other, "predicted loss", "network"), rows, right=(cost, other, "predicted loss"), droppable=(other,)
    )


def _seconds(engine: float, wall: float) -> tuple[str, str, str]:
    return f"{engine:.1f} s", f"{wall:.1f} s", f"{engine / wall:.1%}" if wall else ""


def _teacher(steps: Sequence[Step]) -> Mapping[str, Any]:
    return next((step["values"] for step in steps if step["kind"] == "teacher"), {})


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
