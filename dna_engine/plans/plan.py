"""Which steps follow which in a job of a kind: a pure function of its resolved spec. Torch-free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import StrEnum

from dna_engine.plans.steps import Kind, Step
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec


class Phase(StrEnum):
    """What a job is at. A phase begins when every step of the one before has succeeded."""

    CHECK = "check"
    LATENCY = "latency"
    TEACHER = "teacher"
    DISTILL = "distill"
    RATE = "rate"
    TIME = "time"
    FINALISTS = "finalists"
    SELECT = "select"
    TRAIN = "train"
    EXPORT = "export"
    TRIALS = "trials"


#: The cells of a search as groups, a step each, for a kind of step that works on cells.
Spread = Callable[[Kind, ResolvedSpec], Sequence[Sequence[CellRef]]]


def together(kind: Kind, spec: ResolvedSpec) -> Sequence[Sequence[CellRef]]:  # noqa: ARG001  The signature of a Spread.
    """All cells in one step."""
    return [spec.parsed_space.cells]


class Plan(ABC):
    """The phases of a job in their order, and the steps of each."""

    #: None of them is without a step.
    phases: tuple[Phase, ...]

    @abstractmethod
    def steps(self, phase: Phase, spread: Spread = together) -> list[Step]:
        """The steps of a phase. None of them needs what another makes."""

    def after(self, phase: Phase) -> Phase | None:
        """The phase that follows; None after the last."""
        following = self.later(phase)
        return following[0] if following else None

    def later(self, phase: Phase) -> tuple[Phase, ...]:
        """All phases that follow."""
        return self.phases[self.phases.index(phase) + 1 :]

    def all_steps(self) -> list[Step]:
        """Every step in order, with all cells in one."""
        return [step for phase in self.phases for step in self.steps(phase)]
