"""The plan of timing a network: one step, on the device of any worker."""

from __future__ import annotations

from dna_engine.plans.plan import Phase, Plan, Spread, together
from dna_engine.plans.steps import Kind, Step


class TimingPlan(Plan):
    """The network runs alone, one picture at a time."""

    phases = (Phase.TIME,)

    def steps(self, phase: Phase, spread: Spread = together) -> list[Step]:  # noqa: ARG002  There is one.
        return [Step(key="time", kind=Kind.TIME)]
