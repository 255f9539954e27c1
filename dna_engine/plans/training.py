"""The plan of a training made alone: one network is trained, then exported."""

from __future__ import annotations

from dna_engine.plans.plan import Phase, Plan, Spread, together
from dna_engine.plans.steps import Kind, Step
from dna_engine.spec import NETWORK, ResolvedTraining


class TrainingPlan(Plan):
    """The last two phases of a search, of a network that is known from the start."""

    phases = (Phase.TRAIN, Phase.EXPORT)

    def __init__(self, spec: ResolvedTraining) -> None:
        self._spec = spec

    def steps(self, phase: Phase, spread: Spread = together) -> list[Step]:  # noqa: ARG002  There are no cells.
        kind = {Phase.TRAIN: Kind.TRAIN, Phase.EXPORT: Kind.EXPORT}[phase]
        devices = self._spec.devices if kind == Kind.TRAIN else 1
        return [Step(key=str(kind), kind=kind, network=NETWORK, devices=devices)]
