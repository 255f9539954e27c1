"""How long a step is expected to take.

Its work is that of :mod:`dna_engine.effort`. Its seconds are those to start the engine, and its work at the rate that finished steps of its
kind reached on the same type of device, or at a default where none tell it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from dna_engine.effort import DEFAULT_RATES, START_SECONDS, work
from dna_engine.plans import CPU_KINDS, Kind, Step
from dna_engine.spec import ResolvedJob
from store.statistics import FinishedStep, finished_steps
from store.tables import Worker

#: A step whose engine ran so long tells how fast its device is.
TELLING_SECONDS = 2.5 * START_SECONDS

Basis = Literal["measured", "default"]


@dataclass(frozen=True)
class Expected:
    """Of a device; ``basis``: whether finished steps tell, or a figure of one CPU machine does."""

    seconds: float
    basis: Basis


def device_of(live: Sequence[Worker]) -> str:
    """The kind of device that steps are expected on: a GPU, where a worker has one."""
    return "cuda" if any(worker.device.startswith("cuda") for worker in live) else "cpu"


def expect(session: Session, step: Step, spec: ResolvedJob, device: str) -> Expected:
    """What a step takes on a device of that kind."""
    rate, basis = _rate(session, step.kind, device)
    return Expected(round(START_SECONDS + work(step, spec) / rate, 1), basis)


def _rate(session: Session, kind: Kind, device: str) -> tuple[float, Basis]:
    """Work in a second, and where that is known from. A step that was over quickly was mostly beginning: all it says is that the
    device is at least so fast.
    """
    if done := finished_steps(session, kind, device=device, at_least=0.0 if kind in CPU_KINDS else TELLING_SECONDS):
        return _together(done), "measured"
    quick = finished_steps(session, kind, device=device)
    if quick and _together(quick) > DEFAULT_RATES[kind]:
        return _together(quick), "measured"
    return DEFAULT_RATES[kind], "default"


def _together(done: Sequence[FinishedStep]) -> float:
    """The rate of steps taken as one, by device. The start is taken off, but never most of a step."""
    spent = math.fsum(
        past.step.devices * max(past.engine_seconds - START_SECONDS, past.engine_seconds / 2) for past in done
    )
    return math.fsum(work(past.step, past.spec) for past in done) / spent
