"""What ``python -m dna_engine`` prints for people: figures of a space or network, and the course of a search."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from dna_engine.accuracy import recorded
from dna_engine.by_class import ClassRecall
from dna_engine.catalogue import Teacher
from dna_engine.events import Failure, Log, Progress, Reporter, _Event
from dna_engine.images.check.report import Report

#: Seconds between two lines of progress.
EVERY = 2.0


class ConsoleReporter(Reporter):
    """Progress and log lines for a person; the rest is in the files."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream or sys.stderr)
        self._shown = 0.0

    def emit(self, event: _Event) -> None:
        match event:
            case Progress() if event.done < event.total and time.monotonic() - self._shown < EVERY:
                pass
            case Progress():
                self._shown = time.monotonic()
                parts = f" ({', '.join(event.parts)})" if event.parts else ""
                eta = "" if event.eta_seconds is None else f", {event.eta_seconds:.0f} s left"
                self._line(f"  {event.done} of {event.total} {event.unit}{eta}{parts}")
            case Log():
                self._line(event.message if event.level == "info" else f"{event.level}: {event.message}")
            case Failure():
                self._line(f"error: {event.error['message']}")

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def report_lines(report: Report) -> Iterable[str]:
    """``check``: what a dataset holds, and what was found."""
    splits = ", ".join(f"{count:,} to {split}" for split, count in report.splits.items())
    yield f"images   {splits or 'none'}"
    yield f"classes  {len(report.classes):,}"
    if report.sizes is not None:
        sizes = report.sizes
        yield f"sizes    {sizes.smallest:,} to {sizes.largest:,} pixels, half of them up to {sizes.median:,}"
    for name, counts in (("modes", report.modes), ("formats", report.formats)):
        if counts:
            yield f"{name:8} {', '.join(f'{count:,} {kind}' for kind, count in counts.items())}"
    yield from (f"{finding.level}: {finding.sentence}" for finding in report.findings)


def space_lines(figures: Mapping[str, Any]) -> Iterable[str]:
    """``space``: what a space holds."""
    yield f"networks  {int(figures['networks']):,}"
    yield f"paths     {figures['paths']:,} to rate, by block {', '.join(f'{n:,}' for n in figures['paths_per_block'])}"
    for name in ("flops", "params"):
        yield f"{name:9} {figures[name][0]:,} to {figures[name][1]:,}"


def network_lines(figures: Mapping[str, Any]) -> Iterable[str]:
    """``describe``: what a network costs, layer by layer."""
    yield f"params  {figures['params']:,}"
    yield f"flops   {figures['flops']:,} (multiply-adds of convolutions and linear layers, batch 1)"
    yield from table(
        ("layer", "op", "in", "out", "stride", "input", "flops", "params"),
        (
            (
                *(row[key] for key in ("layer", "op", "in_width", "out_width", "stride", "in_size")),
                row["flops"],
                row["params"],
            )
            for row in figures["layers"]
        ),
    )


def selection_lines(selection: Mapping[str, Any]) -> Iterable[str]:
    """``select``: the chosen networks, best first."""
    yield from table(
        ("loss", "flops", "params", "cells and ops of the blocks"),
        (
            (
                f"{network['loss']:.6f}",
                network["flops"],
                network["params"],
                " | ".join(f"{block['cell']}: {' '.join(block['ops'])}" for block in network["blocks"]),
            )
            for network in selection["architectures"]
        ),
    )


def summary_lines(summary: Mapping[str, Any]) -> Iterable[str]:
    """``run``: what a search came to."""
    yield f"{int(summary['networks']):,} networks, {summary['paths']:,} paths rated, {summary['frontier']} on the frontier"
    yield "budget: " + (", ".join(f"{name} {limit:,}" for name, limit in summary["budget"].items()) or "none")
    networks = {name: summary[name] for name in ("winner", "control") if name in summary} | summary["references"]
    yield from table(("network", "flops", "params", "test log-loss"), _costs(networks))
    yield from accuracy_lines(networks | {"teacher": summary["teacher"]})
    yield from class_lines(networks)
    if finalists := summary["finalists"]:
        yield from table(
            ("finalist", "predicted loss", "log-loss after a short training", "accuracy"),
            (
                (one["name"], f"{one['loss']:.6f}", f"{one['log_loss']:.4f}", f"{one['accuracy']:.2%}")
                for one in finalists
            ),
        )
    if timed := summary.get("timed"):
        yield f"timed whole on {timed['device']}, at most {timed['limit_ms']:g} ms:"
        yield from table(("ms, sum of layers", "ms whole", "95% within", "holds"), _timed(timed["networks"]))
    if summary["comparison"]:
        yield summary["comparison"]["says"]
    yield from (beside["says"] for beside in summary["beside"])
    yield "seconds: " + ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in summary["seconds"].items())


def _timed(networks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for one in networks:
        took = one["torch"]
        held = "yes" if one["holds"] else "no"
        yield f"{one['predicted_ms']:.3g}", f"{took['median_ms']:.3g}", f"{took['p95_ms']:.3g}", held


def _costs(networks: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, row in networks.items():
        yield name, f"{row['flops']:,}", f"{row['params']:,}", f"{row['test_loss']:.4f}"


def accuracy_lines(networks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What each network reached on the test images and what that says, then what is reached without looking at them."""
    tests = {name: test for name, values in networks.items() if (test := recorded(values))}
    yield from table(
        ("network", "test accuracy", "95% interval", "balanced", ""),
        (
            (
                name,
                f"{test.accuracy:.2%}",
                f"{test.interval[0]:.2%} to {test.interval[1]:.2%}",
                f"{test.balanced_accuracy:.2%}",
                test.verdict or "",
            )
            for name, test in tests.items()
        ),
    )
    for test in list(tests.values())[:1]:
        yield (
            f"of {test.images:,} test images; guessing reaches {test.chance:.2%}, always the commonest class "
            f"{test.majority:.2%}"
        )


def class_lines(networks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Of each network how far its confidence can be trusted, and the class that it recognises least; early versions knew neither."""
    for name, values in networks.items():
        test, by_class = recorded(values), values.get("by_class")
        if test and test.calibration_error is not None and by_class:
            least = ClassRecall.model_validate(by_class["recalls"][0])
            yield (
                f"{name}: calibration error {test.calibration_error:.2%}; least recognised of {by_class['classes']:,} classes: "
                f"{least.name}, {least.right:,} of {least.images:,}"
            )


def teacher_rows(teachers: Iterable[Teacher]) -> Iterable[str]:
    """``teachers --markdown``: a table of teachers, each block as the module where it ends, channels and reduction."""
    yield "| family | model | params | blocks |"
    yield "|---|---|---|---|"
    for teacher in teachers:
        blocks = ", ".join(f"`{block.module}` {block.channels}/{block.reduction}" for block in teacher.blocks)
        yield f"| {teacher.family} | `{teacher.name}` | {teacher.params:,} | {blocks} |"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterable[str]:
    """Lines of a table; numbers stand right and are grouped."""
    cells = [tuple(f"{value:,}" if isinstance(value, int) else str(value) for value in row) for row in rows]
    widths = [max(len(row[i]) for row in [tuple(header), *cells]) for i in range(len(header))]
    for row in [tuple(header), *cells]:
        yield "  ".join(
            text.rjust(width) if text[:1].isdigit() else text.ljust(width)
            for text, width in zip(row, widths, strict=True)
        ).rstrip()
