"""What a network has reached class by class, as a table."""

from __future__ import annotations

from rich.console import RenderableType

from dna_client.cli import output
from dna_client.models import Accuracy, ByClass, ClassRecall

#: Of more classes than this the least recognised are shown, and so many pairs that are confused.
CLASSES, PAIRS = 20, 5


def by_class(found: ByClass | None, test: Accuracy | None) -> list[RenderableType]:
    """How good the probabilities are, which classes are recognised least, and what is taken for what; nothing where it is not known."""
    if found is None:
        return []
    shown = found["recalls"][:CLASSES]
    columns = ("class", "recognised", "recall", "95% interval", "answered")
    lines: list[RenderableType] = [
        *_probabilities(test),
        output.table(columns, [_row(one) for one in shown], right=columns[1:], droppable=("answered", "95% interval")),
    ]
    if (others := found["classes"] - len(shown)) > 0:
        lines.append(f"{others:,} more classes are recognised better: dna training confusion has all.")
    if confused := found["confused"][:PAIRS]:
        said = ", ".join(f"{pair['label']} for {pair['answer']} ({pair['images']:,})" for pair in confused)
        lines.append(f"Most often taken: {said}.")
    return lines


def least_recognised(name: str, found: ByClass) -> str:
    """The class that a network recognises least, in a line."""
    least = found["recalls"][0]
    return f"{name} recognises least: {least['name']}, {least['right']:,} of {least['images']:,} test images."


def _probabilities(test: Accuracy | None) -> list[str]:
    log_loss, error = (test.get("log_loss"), test.get("calibration_error")) if test else (None, None)
    if log_loss is None or error is None:
        return []
    return [f"Log-loss {log_loss:.4f}; calibration error {output.percent(error)} (ECE)."]


def _row(one: ClassRecall) -> tuple[str, ...]:
    interval = one["interval"]
    return (
        one["name"],
        f"{one['right']:,} of {one['images']:,}",
        output.percent(one["recall"]),
        f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}%" if interval else "",
        f"{one['answered']:,}",
    )
