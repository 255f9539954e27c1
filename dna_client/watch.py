"""Watches a search in a terminal: bars for every phase and every cell with loss and time left; plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dna_client.cli.output import STATE_STYLES, duration, loss, percent
from dna_client.models import Event
from dna_client.progress import PartProgress, SearchProgress

#: A plain line about a running step at most that often, in seconds.
LINE_EVERY = 10.0

BAR = 28
_LEVELS = {"warning": "yellow", "error": "red"}


class _Display(Protocol):
    def show(self, search: SearchProgress, event: Event) -> None: ...


def watch(events: Iterable[Event], console: Console) -> SearchProgress:
    """Shows the events as they come; returns where the search is after the last."""
    search = SearchProgress()
    with _display(console) as display:
        for event in events:
            search.apply(event)
            display.show(search, event)
    return search


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

    def show(self, search: SearchProgress, event: Event) -> None:
        if event["type"] == "log":
            self._live.console.print(_message(event))
        self._live.update(bars(search))


class _Lines:
    """A line for every change of phase or state, and now and then one for the running step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen = ("", "")
        self._next_line = 0.0

    def show(self, search: SearchProgress, event: Event) -> None:
        match event["type"]:
            case "state" if (search.state, search.phase) != self._seen:
                self._seen = (search.state, search.phase)
                self._console.print(
                    Text(f"{search.state}: {search.phase}" if search.state == "running" else search.state)
                )
            case "step" if event["data"]["attempt"] > 1 and event["data"]["state"] == "running":
                self._console.print(Text(f"  {event['data']['step']}: attempt {event['data']['attempt']}"))
            case "waiting" if search.waiting_for is not None:
                self._console.print(Text(waits(search.waiting_for)))
            case "log":
                self._console.print(_message(event))
            case "progress" if time.monotonic() >= self._next_line:
                self._next_line = time.monotonic() + LINE_EVERY
                self._console.print(Text(line(search, event["data"]["step"])))


def bars(search: SearchProgress) -> RenderableType:
    """The search in one picture: its phases, then the cells or networks of the running phase."""
    return Group(_header(search), _phases(search), *([_parts(search.parts)] if search.parts else []))


def line(search: SearchProgress, key: str) -> str:
    """A running step in one line."""
    step = search.steps[key]
    said = [f"  {key}: {step.done:,} of {step.total:,} {step.unit} ({step.fraction:.0%})"]
    figures = [f"{part} {search.losses[part]:.4f}" for part in step.parts if part in search.losses]
    if figures:
        said.append(f"loss {', '.join(figures)}")
    if search.eta_seconds is not None:
        said.append(f"about {duration(search.eta_seconds)} left")
    return "; ".join(said)


def waits(reason: str) -> str:
    """What a search waits for, in a line."""
    return f"  waits for {reason}"


def _header(search: SearchProgress) -> Text:
    style = STATE_STYLES.get(search.state, "")
    left = f", about {duration(search.eta_seconds)} left" if search.eta_seconds is not None else ""
    held_up = waits(search.waiting_for) if search.waiting_for is not None else left
    return Text.assemble((search.state, f"bold {style}"), f"  {search.progress:.0%}{held_up}")


def _phases(search: SearchProgress) -> Table:
    grid = _grid()
    for phase in search.phases:
        style = "bold" if phase.name == search.phase else "" if phase.seconds is not None else "dim"
        grid.add_row(
            Text(phase.name, style),
            ProgressBar(total=1.0, completed=phase.fraction),
            f"{phase.fraction:.0%}",
            duration(phase.seconds),
        )
    return grid


def _parts(parts: list[PartProgress]) -> Table:
    grid = _grid()
    for part in parts:
        figures = [f"loss {loss(part.loss)}"] if part.loss is not None else []
        figures += [f"test {percent(part.accuracy)}"] if part.accuracy is not None else []
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
