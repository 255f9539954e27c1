"""Watches a job in a terminal: bars for every phase and every cell with loss and time left; plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dna_client.cli.output import STATE_STYLES, duration, loss, percent
from dna_client.models import Event, JobKind
from dna_client.progress import JobProgress, PartProgress

#: A plain line about a running step at most that often, in seconds.
LINE_EVERY = 10.0

BAR = 28
#: The images on which accuracies are, where they are not test images.
_JUDGED_BY: Mapping[JobKind, str] = {"tuning": "held out"}
_LEVELS = {"warning": "yellow", "error": "red"}


class _Display(Protocol):
    def show(self, job: JobProgress, event: Event) -> None: ...


def watch(events: Iterable[Event], console: Console, kind: JobKind = "search") -> JobProgress:
    """Shows the events of a job of that kind as they come; returns where it is after the last."""
    job = JobProgress(kind)
    with _display(console) as display:
        for event in events:
            job.apply(event)
            display.show(job, event)
    return job


@contextmanager
def _display(console: Console) -> Iterator[_Display]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, refresh_per_second=8) as live:
        yield _Bars(live)


class _Bars:
    """Bars that are drawn anew with every event; messages of the engine scroll by above them."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, job: JobProgress, event: Event) -> None:
        if event["type"] == "log":
            self._live.console.print(_message(event))
        self._live.update(bars(job))


class _Lines:
    """A line for every change of phase or state, and now and then one for the running step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen = ("", "")
        self._next_line = 0.0

    def show(self, job: JobProgress, event: Event) -> None:
        match event["type"]:
            case "state" if (job.state, job.phase) != self._seen:
                self._seen = (job.state, job.phase)
                self._console.print(Text(f"{job.state}: {job.phase}" if job.state == "running" else state(job)))
            case "step" if event["data"]["attempt"] > 1 and event["data"]["state"] == "running":
                self._console.print(Text(f"  {event['data']['step']}: attempt {event['data']['attempt']}"))
            case "waiting" if job.waiting_for is not None:
                self._console.print(Text(waits(job.waiting_for)))
            case "log":
                self._console.print(_message(event))
            case "progress" if time.monotonic() >= self._next_line:
                self._next_line = time.monotonic() + LINE_EVERY
                self._console.print(Text(line(job, event["data"]["step"])))


def bars(job: JobProgress) -> RenderableType:
    """The job in one picture: its phases, then the cells or networks of the running phase."""
    return Group(
        _header(job), _phases(job), *([_parts(job.parts, _JUDGED_BY.get(job.kind, "test"))] if job.parts else [])
    )


def line(job: JobProgress, key: str) -> str:
    """A running step in one line."""
    step = job.steps[key]
    said = [f"  {key}: {step.done:,} of {step.total:,} {step.unit} ({step.fraction:.0%})"]
    figures = [f"{part} {job.losses[part]:.4f}" for part in step.parts if part in job.losses]
    if figures:
        said.append(f"loss {', '.join(figures)}")
    if job.eta_seconds:
        said.append(f"about {duration(job.eta_seconds)} left")
    return "; ".join(said)


def state(job: JobProgress) -> str:
    """Its state. That a check has succeeded says only that there is a report, on images that cannot be used as well."""
    return "checked" if (job.kind, job.state) == ("check", "succeeded") else job.state


def waits(reason: str) -> str:
    """What a job waits for, in a line."""
    return f"  waits for {reason}"


def _header(job: JobProgress) -> Text:
    style = STATE_STYLES.get(job.state, "")
    left = f", about {duration(job.eta_seconds)} left" if job.eta_seconds else ""
    held_up = waits(job.waiting_for) if job.waiting_for is not None else left
    return Text.assemble((state(job), f"bold {style}"), f"  {job.progress:.0%}{held_up}")


def _phases(job: JobProgress) -> Table:
    grid = _grid()
    for phase in job.phases:
        style = "bold" if phase.name == job.phase else "" if phase.seconds is not None else "dim"
        grid.add_row(
            Text(phase.name, style),
            ProgressBar(total=1.0, completed=phase.fraction),
            f"{phase.fraction:.0%}",
            duration(phase.seconds),
        )
    return grid


def _parts(parts: list[PartProgress], judged_by: str) -> Table:
    grid = _grid()
    for part in parts:
        figures = [f"loss {loss(part.loss)}"] if part.loss is not None else []
        figures += [f"{judged_by} {percent(part.accuracy)}"] if part.accuracy is not None else []
        left = f"{duration(part.eta_seconds)} left" if part.eta_seconds is not None else ""
        grid.add_row(
            Text(f"  {part.name}"),
            ProgressBar(total=1.0, completed=part.fraction),
            f"{part.fraction:.0%}",
            left,
            "  ".join(figures),
        )
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(min_width=9, no_wrap=True)
    grid.add_column(min_width=4, max_width=BAR)  # On a narrow terminal the bars give way to the figures.
    grid.add_column(justify="right", min_width=4, no_wrap=True)
    grid.add_column(justify="right", min_width=8, no_wrap=True)
    grid.add_column(no_wrap=True)
    return grid


def _message(event: Event) -> Text:
    level = event["data"]["level"]
    return Text(f"  {level}: {event['data']['message']}", _LEVELS.get(level, "dim"))
