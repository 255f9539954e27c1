"""What a search found, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dna_client.class_report import least_recognised
from dna_client.cli import output
from dna_client.models import Accuracy, FrontierPoint, Search, SearchNetwork, Step
from dna_client.times import phase_times, times

#: Networks of a search that are shown at most.
SHOWN = 12


def result(search: Search) -> RenderableType:
    """The networks side by side, and the time by phase: what there is of them while the search is under way."""
    parts: list[list[RenderableType]] = [
        [networks(search)] if search["architectures"] or _teacher(search["steps"]) else [],
        timed(search),
        finalists(search),
        [times(search["steps"])] if phase_times(search["steps"]) else [],
    ]
    return Group(*apart(parts))


def apart(parts: Sequence[Sequence[RenderableType]]) -> list[RenderableType]:
    """The parts one after the other, with an empty line between those that are not empty."""
    lines: list[RenderableType] = []
    for part in filter(None, parts):
        lines += [*([""] if lines else []), *part]
    return lines


def networks(search: Search) -> RenderableType:
    """Winner, control and those selected afterwards, beside the teacher: what they cost and what they reach."""
    return Group(*apart([[costs(search)], accuracies(search)]))


def costs(search: Search) -> RenderableType:
    """What each network costs, and its predicted loss. Of many that were selected afterwards the first are shown."""
    shown = search["architectures"][:SHOWN]
    rows: list[tuple[str, ...]] = [
        (
            called(network),
            output.count(network["flops"]),
            output.count(network["params"]),
            output.loss(network["loss"]),
            network["id"],
        )
        for network in shown
    ]
    if left_out := len(search["architectures"]) - len(shown):
        rows.append((f"{left_out} more selected", "", "", "", ""))
    teacher = _teacher(search["steps"])
    row = (
        f"teacher {named_teacher(search)}",
        output.count(teacher.get("flops")),
        output.count(teacher.get("params")),
        "",
        "",
    )
    columns = ("network", "flops", "params", "predicted loss", "architecture")
    return output.table(
        columns, [*rows, row], right=columns[1:4], ids=("architecture",), droppable=("params", "predicted loss")
    )


def called(network: SearchNetwork) -> str:
    """A standard network by its model, others by their role."""
    return network.get("name") or network["role"]


def timed(search: Search) -> list[RenderableType]:
    """The networks that were timed whole, in the order of the ratings; nothing where latency was not limited."""
    found: Mapping[str, Any] = next((step["values"] for step in search["steps"] if step["kind"] == "time"), {})
    rows = [
        (
            f"{place}.",
            f"{network['predicted_ms']:.3g}",
            f"{network['torch']['median_ms']:.3g}",
            f"{network['torch']['p95_ms']:.3g}",
            f"{took['median_ms']:.3g}" if (took := network["onnxruntime"]) else "",
            "" if network["holds"] else "over the limit",
        )
        for place, network in enumerate(found.get("networks", ()), start=1)
    ]
    if not rows:
        return []
    columns = (
        "place by rating",
        "ms, sum of layers",
        "ms whole",
        "95% within",
        "by onnxruntime",
        f"at most {found['limit_ms']:g}",
    )
    said = f"Timed whole on {found['device']}, by onnxruntime on {found['cpu']}:"
    return [Text(said), output.table(columns, rows, right=columns[:5], droppable=("95% within", "ms, sum of layers"))]


def finalists(search: Search) -> list[RenderableType]:
    """The networks that were looked at whole, the winner first; nothing where the ratings alone have decided."""
    selected: Mapping[str, Any] = next((step["values"] for step in search["steps"] if step["kind"] == "select"), {})
    rows: list[tuple[str, ...]] = [
        (
            f"{place}.",
            finalist["name"].removeprefix("finalist-"),
            output.count(finalist["flops"]),
            output.loss(finalist["loss"]),
            output.loss(finalist["log_loss"]),
            output.percent(finalist["accuracy"]),
        )
        for place, finalist in enumerate(selected.get("finalists", ()), start=1)
    ]
    columns = ("finalist", "place by rating", "flops", "predicted loss", "log-loss", "accuracy")
    return [output.table(columns, rows, right=columns[1:], droppable=("flops", "predicted loss"))] if rows else []


def accuracies(search: Search) -> list[RenderableType]:
    """What each trained network reaches, and what the search was worth; nothing while nothing is trained."""
    teacher = _teacher(search["steps"])
    reached: list[tuple[str, float | None, Accuracy | None]] = [
        *((called(network), network["test_accuracy"], network["test"]) for network in search["architectures"]),
        ("teacher", teacher.get("accuracy"), teacher.get("test")),
    ]
    comparison = search.get("comparison")
    least = [
        least_recognised(called(network), found)
        for network in search["architectures"]
        if (found := network.get("by_class"))
    ]
    compared = [comparison["says"]] if comparison else []
    return [*accuracy_table(reached), *least, *compared, *(beside["says"] for beside in search.get("beside", ()))]


def accuracy_table(reached: Sequence[tuple[str, float | None, Accuracy | None]]) -> list[RenderableType]:
    """What each trained network reaches, by its name, and what is reached without looking at an image.

    Each line has at most 80 characters; nothing while nothing is trained.
    """
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


def frontier(points: Sequence[FrontierPoint], cost: str, *, shown: int) -> RenderableType:
    """``shown`` points spread evenly over the frontier, its two ends among them."""
    last = len(points) - 1
    picked = sorted(
        {round(index * last / max(1, shown - 1)) for index in range(shown)} if last > shown else range(last + 1)
    )
    rows: list[tuple[str, ...]] = [
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


def named_teacher(search: Search) -> str:
    """The model of the teacher, with the tag of its weights where they are timm's."""
    model, tag = search["spec"]["teacher"]["model"], _teacher(search["steps"]).get("tag")
    return f"{model}.{tag}" if tag and "." not in model else str(model)


def _teacher(steps: Sequence[Step]) -> Mapping[str, Any]:
    return next((step["values"] for step in steps if step["kind"] == "teacher"), {})
