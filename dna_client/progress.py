"""How far a job is, told from its events alone: a pure model that a terminal, a log or a test reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dna_client.models import FINISHED, OPTIONAL, PHASES, RARE, Event, JobKind


@dataclass
class StepProgress:
    """A step: ``done`` of ``total`` in ``unit``; ``parts`` are the cells or networks that it advances."""

    phase: str
    state: str = "queued"
    attempt: int = 0
    done: int = 0
    total: int = 0
    unit: str = "steps"
    eta_seconds: float | None = None
    parts: list[str] = field(default_factory=list)

    @property
    def fraction(self) -> float:
        if self.state == "succeeded":
            return 1.0
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class PhaseProgress:
    """A phase: 0 to 1 done, and the seconds it took or has taken so far; None before it began."""

    name: str
    fraction: float
    seconds: float | None


@dataclass(frozen=True)
class PartProgress:
    """A cell or network of the running phase, with its latest loss and accuracy."""

    name: str
    fraction: float
    loss: float | None
    accuracy: float | None
    eta_seconds: float | None


@dataclass
class _Stopwatch:
    """Time in which at least one step of a phase ran: neither waiting for a worker nor between two attempts."""

    running: set[str] = field(default_factory=set)
    since: datetime | None = None
    before: float = 0.0

    def apply(self, step: str, now: datetime, *, runs: bool) -> None:
        """The step runs from now on, or no longer."""
        if runs:
            self.since = self.since or now
            self.running.add(step)
            return
        self.running.discard(step)
        if not self.running and self.since is not None:
            self.before += (now - self.since).total_seconds()
            self.since = None

    def seconds(self, now: datetime) -> float | None:
        """So far; None when nothing has run yet."""
        if self.since is None:
            return self.before or None
        return self.before + (now - self.since).total_seconds()


@dataclass
class JobProgress:
    """The state of a job of that kind as its events so far tell it. Before the first of them it has no phase."""

    kind: JobKind = "search"
    state: str = "queued"
    phase: str = ""
    progress: float = 0.0
    eta_seconds: float | None = None
    waiting_for: str | None = None
    error: Mapping[str, Any] | None = None
    steps: dict[str, StepProgress] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    accuracies: dict[str, float] = field(default_factory=dict)
    now: datetime | None = None
    _times: dict[str, _Stopwatch] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        data = event["data"]
        self.now = datetime.fromisoformat(data["time"]) if "time" in data else self.now
        match event["type"]:
            case "state":
                self._apply_state(data)
            case "step":
                self._apply_step(data)
            case "waiting":
                self.waiting_for = data["waiting_for"]
            case "progress":
                self._apply_progress(data)
            case "metric":
                self._apply_metric(data)

    def _apply_state(self, data: Mapping[str, Any]) -> None:
        self.state, self.phase, self.error = data["state"], data["phase"], data.get("error")
        if self.state in FINISHED:
            self.eta_seconds = self.waiting_for = None
        if self.state == "succeeded":
            self.progress = 1.0

    def _apply_step(self, data: Mapping[str, Any]) -> None:
        phase = data.get("phase", data["kind"])  # Events of early versions lack it; their kinds were the phases.
        step = self.steps.setdefault(data["step"], StepProgress(phase))
        step.state, step.attempt = data["state"], data["attempt"]
        if self.now is not None:
            watch = self._times.setdefault(phase, _Stopwatch())
            watch.apply(data["step"], self.now, runs=data["state"] == "running")
        if data["state"] == "running":
            self.waiting_for = None

    def _apply_progress(self, data: Mapping[str, Any]) -> None:
        step = self.steps.setdefault(data["step"], StepProgress(data["phase"]))
        step.done, step.total, step.unit = data["done"], data["total"], data["unit"]
        step.eta_seconds, step.parts = data["eta_seconds"], data["parts"]
        self.progress, self.eta_seconds = data["progress"], _time_left(data)

    def _apply_metric(self, data: Mapping[str, Any]) -> None:
        """``distill/b1c1/loss``, ``train/winner/accuracy``: the part is in the middle, the last word says which figure."""
        _, _, rest = data["series"].partition("/")
        part, _, figure = rest.rpartition("/")
        if figure in ("loss", "accuracy"):
            (self.losses if figure == "loss" else self.accuracies)[part] = data["y"]

    @property
    def phases(self) -> list[PhaseProgress]:
        """Those before the running one that the job did without are left out, and those after it that few jobs have."""
        begun = {step.phase for step in self.steps.values()} | {self.phase}
        names = [name for name in PHASES[self.kind] if name not in RARE or name in begun]
        current = names.index(self.phase or names[0])
        return [
            PhaseProgress(name, self._fraction(name, index, current), self._seconds(name))
            for index, name in enumerate(names)
            if index >= current or name not in OPTIONAL or name in begun
        ]

    @property
    def parts(self) -> list[PartProgress]:
        """Cells and networks of the running phase, in order."""
        here = [step for step in self.steps.values() if step.phase == self.phase]
        # Of hundreds of trials those that run tell how it goes.
        running = [step for step in here if step.state == "running"] if self.kind == "tuning" else here
        return sorted(
            (
                PartProgress(name, step.fraction, self.losses.get(name), self.accuracies.get(name), _left(step))
                for step in running
                for name in step.parts
            ),
            key=lambda part: part.name,
        )

    def _fraction(self, name: str, index: int, current: int) -> float:
        if index != current:
            return float(index < current)
        if self.state == "succeeded":
            return 1.0
        if self.kind == "tuning":  # Trials that wait have told nothing of themselves.
            return self.progress
        steps = [step for step in self.steps.values() if step.phase == name]
        weight = sum(max(1, len(step.parts)) for step in steps)
        return sum(step.fraction * max(1, len(step.parts)) for step in steps) / weight if weight else 0.0

    def _seconds(self, name: str) -> float | None:
        """How long steps of this phase have run so far; None before the first."""
        watch = self._times.get(name)
        return watch.seconds(self.now) if watch is not None and self.now is not None else None


def _left(step: StepProgress) -> float | None:
    return step.eta_seconds if step.state == "running" else None


def _time_left(data: Mapping[str, Any]) -> float | None:
    """Of the whole job; events of earlier versions call it by another name."""
    left: float | None = data["job_eta_seconds"] if "job_eta_seconds" in data else data.get("search_eta_seconds")
    return left
