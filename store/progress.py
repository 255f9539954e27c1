"""How far a search is, and how long it will still take. Pure: from its phase and the numbers its steps report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dna_engine.steps import Kind

#: Share of a search's device time that each phase takes, roughly, when the teacher is trained first.
SHARES: Mapping[Kind, float] = {
    Kind.TEACHER: 0.20,
    Kind.DISTILL: 0.30,
    Kind.RATE: 0.15,
    Kind.SELECT: 0.02,
    Kind.TRAIN: 0.30,
    Kind.EXPORT: 0.03,
}

#: The teacher's share when it is only loaded.
LOADED_TEACHER_SHARE = 0.02


@dataclass(frozen=True)
class Work:
    """A step of the running phase: ``fraction`` of 0 to 1 done, ``weight`` the number of cells it has."""

    fraction: float
    weight: int
    eta_seconds: float | None


@dataclass(frozen=True)
class Estimate:
    """``progress`` of 0 to 1; ``eta_seconds`` is None until something can be said."""

    progress: float
    eta_seconds: float | None


def estimate(phase: Kind, steps: Sequence[Work], *, teacher_trained: bool, engine_seconds: float) -> Estimate:
    """Progress over all phases, and the time left.

    The time left is what the slowest step of this phase says, plus the later phases at the rate so far.

    Args:
        engine_seconds: device time the search has used.
    """
    shares = dict(SHARES) if teacher_trained else {**SHARES, Kind.TEACHER: LOADED_TEACHER_SHARE}
    total = sum(shares.values())
    kinds = list(Kind)
    before = sum(shares[kind] for kind in kinds[: kinds.index(phase)]) / total
    later = sum(shares[kind] for kind in kinds[kinds.index(phase) + 1 :]) / total
    weight = sum(step.weight for step in steps)
    fraction = sum(step.fraction * step.weight for step in steps) / weight if weight else 0.0
    progress = before + fraction * shares[phase] / total
    if progress <= 0 or engine_seconds <= 0:
        return Estimate(progress, None)
    rate = engine_seconds / progress
    unfinished = [step for step in steps if step.fraction < 1]
    said = [step.eta_seconds for step in unfinished if step.eta_seconds is not None]
    here = max(said) if said else rate * (1 - fraction) * shares[phase] / total
    return Estimate(progress, here + rate * later)
