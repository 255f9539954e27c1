"""The time left that a search says, against the time that it then took.

A recording holds the events of a real search: a line that says what was searched, on what and with how many workers, then the
events with their times. It is told again to the model of the time left, and at each tenth of the search's duration what is said
is compared with what was true. A recording is made with --record, on a service of its own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.workers import another_worker, await_workers
from dna_client import Client
from dna_client.models import Event, Search
from dna_client.up import Service
from dna_engine.effort import seconds
from dna_engine.plans import Phase, Step, plan_of
from dna_engine.spec import ResolvedSpec
from store.progress import Fleet, Work, Workers, estimate, planned
from store.states import StepState

#: Events of a recording that tell of the same step are this many seconds apart, at least.
APART = 1.0


@dataclass
class Told:
    """A step as the events so far tell it."""

    planned: Step
    state: StepState = StepState.QUEUED
    since: float = 0.0
    ran: float = 0.0
    fraction: float = 0.0
    eta_seconds: float | None = None

    def engine_seconds(self, now: float) -> float:
        return self.ran + (now - self.since if self.state == StepState.RUNNING else 0.0)


class Replay:
    """A recording told again, event by event."""

    def __init__(self, file: Path) -> None:
        head, *lines = file.read_text().splitlines()
        self.about = json.loads(head)
        self.events: list[Event] = [json.loads(line) for line in lines]
        self._spec = ResolvedSpec.model_validate(self.about["spec"])
        self._planned = planned(self._spec)
        plan = plan_of(self._spec)
        self._phases = {step.kind: phase for phase in plan.phases for step in plan.steps(phase)}
        self._steps = {step["key"]: Told(Step.model_validate(step)) for step in self.about["steps"]}
        count = self.about["workers"]
        self._fleet = Fleet(gpu=Workers(count, self.about["devices"]), cpu=Workers(count, self.about["devices"]))
        self._phase, self._made = Phase.TEACHER, set[str]()

    def run(self) -> Iterator[tuple[float, str, float | None]]:
        """Time, phase, and the seconds left that the model says, after every event."""
        for event in self.events:
            now = when(event)
            self._apply(event, now)
            yield now, self._phase, self._left(now)

    def _apply(self, event: Event, now: float) -> None:
        data = event["data"]
        match event["type"]:
            case "state":
                self._phase = Phase(data["phase"])
            case "step":
                step = self._steps[data["step"]]
                self._made.add(data["step"])
                step.ran = step.engine_seconds(now)
                step.state, step.since = StepState(data["state"]), now
                step.fraction = 1.0 if step.state == StepState.SUCCEEDED else step.fraction
                step.eta_seconds = None
            case "progress":
                step = self._steps[data["step"]]
                step.fraction, step.eta_seconds = data["done"] / data["total"], data["eta_seconds"]

    def _left(self, now: float) -> float | None:
        steps = [
            Work(
                kind=step.planned.kind,
                phase=self._phases[step.planned.kind],
                state=step.state,
                planned=seconds(step.planned, self._spec),
                fraction=step.fraction,
                engine_seconds=step.engine_seconds(now),
                eta_seconds=step.eta_seconds,
            )
            for key, step in self._steps.items()
            if key in self._made
        ]
        return estimate(self._phase, steps, self._planned, self._fleet).eta_seconds


def when(event: Event) -> float:
    return datetime.fromisoformat(event["data"]["time"]).timestamp()


def tenths(file: Path) -> list[tuple[int, str, float | None, float]]:
    """Tenth of the duration (1 to 9), phase, what is said and what was true then, in seconds."""
    told = list(Replay(file).run())
    begin, end = told[0][0], told[-1][0]
    found = []
    for tenth in range(1, 10):
        now, phase, said = [row for row in told if row[0] <= begin + (end - begin) * tenth / 10][-1]
        found.append((tenth, phase, said, end - now))
    return found


def record(file: Path, workers: int, spec: dict[str, Any]) -> None:
    """Runs a search on a service of its own and writes what it tells."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = stack.enter_context(Service(folder / "one", port=0))
        client = stack.enter_context(Client(service.addresses.url))
        if workers > 1:
            stack.enter_context(another_worker(service.addresses, folder))
        await_workers(client, 2 * workers)
        made = client.create_search(spec)
        events = list(client.events(made["id"]))
        search = client.get_search(made["id"])
    write(file, search, events, workers)


def write(file: Path, search: Search, events: list[Event], workers: int) -> None:
    """From the start of the first step on."""
    about = {
        "device": report.describe(torch.device("cpu")),
        "workers": workers,
        "devices": 1,
        "spec": search["spec"],
        "steps": [{name: step[name] for name in ("key", "kind", "cells", "network")} for step in search["steps"]],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in (about, *thinned(events))))


def thinned(events: list[Event]) -> Iterator[Event]:
    """Events about states and steps, and progress once in a while."""
    begun, last = False, dict[str, float]()
    for event in events:
        data = event["data"]
        begun = begun or (event["type"] == "step" and data["state"] == "running")
        if not begun or event["type"] not in ("state", "step", "progress"):
            continue
        if event["type"] == "progress":
            if when(event) - last.get(data["step"], 0.0) < APART and data["done"] < data["total"]:
                continue
            last[data["step"]] = when(event)
        yield event


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("eta", torch.device("cpu"))
    if arguments.record:
        record(arguments.recordings[0], arguments.workers, json.loads(arguments.spec))
    for file in arguments.recordings:
        about = Replay(file).about
        print(f"{file.name}: {about['spec']['name']}, workers: {about['workers']}, recorded on {about['device']}\n")
        report.print_table(["at", "phase", "said, s", "true, s", "ratio"], rows(file))


def rows(file: Path) -> Iterator[list[str]]:
    for tenth, phase, said, true in tenths(file):
        shown = ["", ""] if said is None else [f"{said:.0f}", f"{said / true:.2f}"]
        yield [f"{tenth}0%", phase, shown[0], f"{true:.0f}", shown[1]]


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--record", action="store_true", help="run a search first and write the first recording")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=1, help="worker processes, on the same cores")
    parser.add_argument("--spec", default='{"dataset": "digits"}', help="what to search, as JSON")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
