"""The plan of a tuning: its trials, which any number of workers run at once."""

from __future__ import annotations

from dna_engine.plans.plan import Phase, Plan, Spread, together
from dna_engine.plans.steps import Kind, Step, Trial
from dna_engine.spec import NETWORK, ResolvedTuning


class TuningPlan(Plan):
    """A step for each trial. What it tries is asked for when it is taken, and knows of those that have finished by then."""

    phases = (Phase.TRIALS,)

    def __init__(self, spec: ResolvedTuning) -> None:
        self._spec = spec

    def steps(self, phase: Phase, spread: Spread = together) -> list[Step]:  # noqa: ARG002  There is one, and no cells.
        return [
            Step(
                key=f"trial-{number}",
                kind=Kind.TRIAL,
                network=NETWORK,
                devices=self._spec.devices,
                trial=Trial(number=number),
            )
            for number in range(1, self._spec.trials + 1)
        ]
