"""The plan of the check of a dataset: one step."""

from __future__ import annotations

from dna_engine.plans.plan import Phase, Plan, Spread, together
from dna_engine.plans.steps import Kind, Step


class CheckPlan(Plan):
    """Every picture is opened once, before anybody searches on them."""

    phases = (Phase.CHECK,)

    def steps(self, phase: Phase, spread: Spread = together) -> list[Step]:  # noqa: ARG002  There is one.
        return [Step(key="check", kind=Kind.CHECK)]
