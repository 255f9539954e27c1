"""How far a job is, and how long it will still take. Pure: from what its steps report and what is left of its plan.

The plan says what every step would take on a device that nothing is known of (:func:`dna_engine.effort.seconds`). What the steps of
this job took instead tells how fast its device is: for each kind of step once one has begun, and over all kinds for those
that have not. So the time left counts what waits for the same worker and every later phase; waiting behind other jobs is not
in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dna_engine.effort import timing
from dna_engine.plans import CPU_KINDS, SPREAD_KINDS, Kind, Phase, Step, plan_of
from dna_engine.spec import ResolvedJob
from store.states import StepState

#: Nothing is said of the time left before this share of the work is done: what it would rest on is too little.
TELLING = 0.03

#: A step tells how fast its device is from this share of it on; before, most of its time went into beginning.
TELLING_OF_STEP = 0.05


@dataclass(frozen=True)
class Work:
    """A step as it is.

    Attributes:
        planned: seconds that the plan gives it.
        fraction: 0 to 1 done.
        engine_seconds: that its engine ran so far.
        eta_seconds: what it says itself that it still needs, while it runs.
        weight: of it in its phase, where that is not what is planned: cells weigh the same however they are spread, so that a phase does
            not go back when a step is divided.
    """

    kind: Kind
    phase: Phase
    state: StepState
    planned: float
    fraction: float = 0.0
    engine_seconds: float = 0.0
    eta_seconds: float | None = None
    weight: float | None = None

    @property
    def weighs(self) -> float:
        return self.planned if self.weight is None else self.weight


@dataclass(frozen=True)
class Workers:
    """Live workers of a queue, and on how many devices: several processes on one CPU share it."""

    count: int = 1
    devices: int = 1

    def crowding(self, steps: int) -> float:
        """How much slower so many steps at once are than one alone, for sharing devices."""
        at_once = max(1, min(steps, self.count))
        return at_once / max(1, min(at_once, self.devices))


@dataclass(frozen=True)
class Fleet:
    """The workers of the two queues."""

    gpu: Workers = field(default=Workers())
    cpu: Workers = field(default=Workers())

    def of(self, kind: Kind) -> Workers:
        return self.cpu if kind in CPU_KINDS else self.gpu


@dataclass(frozen=True)
class Estimate:
    """``progress`` of 0 to 1; ``eta_seconds`` is None until something can be said."""

    progress: float
    eta_seconds: float | None


Planned = Mapping[Phase, Sequence[tuple[Kind, float]]]
"""Every phase in order: the kinds and planned seconds of its steps, with all cells of a kind in one."""


def planned(spec: ResolvedJob, seconds: Callable[[Step], float] | None = None) -> Planned:
    """What every phase would take on one worker; by the ``timing`` of the job, where the caller has it."""
    plan, seconds = plan_of(spec), seconds or timing(spec)
    return {phase: [(step.kind, seconds(step)) for step in plan.steps(phase)] for phase in plan.phases}


def estimate(phase: Phase, steps: Sequence[Work], plan: Planned, fleet: Fleet) -> Estimate:
    """Progress over all phases, and the time left from now on.

    Args:
        steps: all that the job has so far.
    """
    progress = _progress(phase, steps, plan)
    if progress < TELLING:
        return Estimate(progress, None)
    speed = _Speed(steps, fleet)
    left = _phase_left([step for step in steps if step.phase == phase], speed, fleet)
    for later in _later(phase, plan):
        left += _later_phase(plan[later], speed, fleet)
    return Estimate(progress, left)


def _progress(phase: Phase, steps: Sequence[Work], plan: Planned) -> float:
    """Share of the planned seconds that is done."""
    here = [step for step in steps if step.phase == phase]
    weight = sum(step.weighs for step in here)
    fraction = sum(step.fraction * step.weighs for step in here) / weight if weight else 0.0
    totals = {each: sum(seconds for _, seconds in steps) for each, steps in plan.items()}
    before = sum(totals[each] for each in plan if each != phase and each not in _later(phase, plan))
    return (before + fraction * totals[phase]) / sum(totals.values())


class _Speed:
    """How much longer than planned steps take here, alone on their device."""

    def __init__(self, steps: Sequence[Work], fleet: Fleet) -> None:
        self._fleet = fleet
        self._spent: dict[Kind, float] = {}
        self._planned: dict[Kind, float] = {}
        for step in steps:
            if step.fraction >= TELLING_OF_STEP and step.engine_seconds > 0:
                together = fleet.of(step.kind).crowding(sum(other.kind == step.kind for other in steps))
                self._spent[step.kind] = self._spent.get(step.kind, 0.0) + _spent(step) / together
                self._planned[step.kind] = self._planned.get(step.kind, 0.0) + step.planned * step.fraction

    def of(self, kind: Kind) -> float:
        """As steps of the kind took, else as all did. What needs no device is not taken for faster than planned: a GPU may be."""
        if kind in self._spent:
            return self._spent[kind] / self._planned[kind]
        overall = sum(self._spent.values()) / sum(self._planned.values()) if self._spent else 1.0
        return max(1.0, overall) if kind in CPU_KINDS else overall


def _spent(step: Work) -> float:
    """On what is done of a step: while it runs, by the pace that it says, in which a slow beginning has no part."""
    if step.state == StepState.RUNNING and step.eta_seconds is not None and step.fraction < 1:
        return step.eta_seconds * step.fraction / (1 - step.fraction)
    return step.engine_seconds


def _phase_left(steps: Sequence[Work], speed: _Speed, fleet: Fleet) -> float:
    """Until the last of these steps ends: what runs goes on, and what waits follows on the worker that is free first."""
    workers = fleet.of(steps[0].kind) if steps else Workers()
    running, waiting = (
        [step for step in steps if step.state == state] for state in (StepState.RUNNING, StepState.QUEUED)
    )
    crowding = workers.crowding(len(running))
    return _end([_own(step, speed, crowding) for step in running], [_own(step, speed) for step in waiting], workers)


def _own(step: Work, speed: _Speed, crowding: float = 1.0) -> float:
    """What a step still needs, had it its device for itself: what it says, or as the others of its kind went."""
    if step.eta_seconds is not None and step.fraction >= TELLING_OF_STEP:
        return step.eta_seconds / crowding
    begun = step.engine_seconds / crowding if step.fraction < TELLING_OF_STEP else 0.0
    return max(0.0, step.planned * speed.of(step.kind) * (1 - step.fraction) - begun)


def _later_phase(planned: Sequence[tuple[Kind, float]], speed: _Speed, fleet: Fleet) -> float:
    """Cells are spread over all workers, other steps are not divided. The steps of a phase wait for the same workers."""
    workers = fleet.of(planned[0][0])
    spread = sum(seconds * speed.of(kind) for kind, seconds in planned if kind in SPREAD_KINDS)
    whole = [(kind, seconds) for kind, seconds in planned if kind not in SPREAD_KINDS]
    last = _end([], [seconds * speed.of(kind) for kind, seconds in whole], workers)
    return spread / max(1, min(workers.count, workers.devices)) + last


def _end(running: Sequence[float], waiting: Sequence[float], workers: Workers) -> float:
    """When the last is done, if each that waits goes to the worker that is free first, longest first; but where workers share
    devices, not before these have done it all.
    """
    count = max(1, workers.count, len(running))
    ends = sorted([*running, *[0.0] * (count - len(running))])
    for step in sorted(waiting, reverse=True):
        ends[0] += step
        ends.sort()
    return max(ends[-1], math.fsum([*running, *waiting]) / max(1, workers.devices))


def _later(phase: Phase, plan: Planned) -> list[Phase]:
    phases = list(plan)
    return phases[phases.index(phase) + 1 :]
