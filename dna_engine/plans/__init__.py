"""Which steps a job takes, and what each needs and makes. Torch-free."""

from __future__ import annotations

from dna_engine.plans.check import CheckPlan
from dna_engine.plans.plan import Phase, Plan, Spread, together
from dna_engine.plans.search import SearchPlan, divide
from dna_engine.plans.steps import CHECKPOINTED_KINDS, CPU_KINDS, SPREAD_KINDS, Kind, Order, Step
from dna_engine.plans.timing import TimingPlan
from dna_engine.plans.training import TrainingPlan
from dna_engine.plans.tuning import TuningPlan
from dna_engine.spec import (
    ResolvedCheck,
    ResolvedJob,
    ResolvedSpec,
    ResolvedTiming,
    ResolvedTraining,
    ResolvedTuning,
)

__all__ = [
    "CHECKPOINTED_KINDS",
    "CPU_KINDS",
    "SPREAD_KINDS",
    "Kind",
    "Order",
    "Phase",
    "Plan",
    "Spread",
    "Step",
    "divide",
    "plan_of",
    "together",
]


def plan_of(spec: ResolvedJob) -> Plan:
    """The plan of the job that the spec describes."""
    match spec:
        case ResolvedSpec():
            return SearchPlan(spec)
        case ResolvedTraining():
            return TrainingPlan(spec)
        case ResolvedTuning():
            return TuningPlan(spec)
        case ResolvedCheck():
            return CheckPlan()
        case ResolvedTiming():
            return TimingPlan()
    raise AssertionError(f"{type(spec).__name__} has no plan")
