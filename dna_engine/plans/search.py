"""The plan of a search: teacher, distillation and rating of its cells, finalists, selection, training and export of what was found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count

from dna_engine.plans.plan import Phase, Plan, Spread, together
from dna_engine.plans.steps import Kind, Step
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec


class SearchPlan(Plan):
    """From a teacher to networks that can be used."""

    def __init__(self, spec: ResolvedSpec) -> None:
        self._spec = spec
        finalists = (Phase.FINALISTS,) if spec.finalists else ()
        self.phases = (
            *((Phase.LATENCY,) if spec.times_networks else ()),
            Phase.TEACHER,
            Phase.DISTILL,
            Phase.RATE,
            *((Phase.TIME,) if spec.times_networks else ()),
            *finalists,
            Phase.SELECT,
            Phase.TRAIN,
            Phase.EXPORT,
        )

    def steps(self, phase: Phase, spread: Spread = together) -> list[Step]:
        match phase:
            case Phase.LATENCY | Phase.TEACHER | Phase.TIME | Phase.SELECT:
                return [Step(key=phase.value, kind=Kind(phase.value))]
            case Phase.DISTILL:
                return self._of_cells(Kind.DISTILL, spread)
            case Phase.RATE:
                # Versions that timed no networks measured layers here.
                late = self._spec.budget.latency_ms is not None and not self._spec.times_networks
                latency = [Step(key="latency", kind=Kind.LATENCY)] if late else []
                return latency + self._of_cells(Kind.RATE, spread)
            case Phase.FINALISTS:
                return [Step(key=name, kind=Kind.FINALIST, network=name) for name in self._spec.finalists]
            case Phase.TRAIN:
                return self._of_networks(Kind.TRAIN, self._spec.networks)
            case Phase.EXPORT:
                return [*self._of_networks(Kind.EXPORT, self._spec.exported), Step(key="pictures", kind=Kind.PICTURES)]
            case Phase.CHECK | Phase.TRIALS:
                raise AssertionError(f"a search has no phase {phase}")

    def _of_cells(self, kind: Kind, spread: Spread) -> list[Step]:
        return [
            Step(key=f"{kind}-{number}", kind=kind, cells=[str(cell) for cell in group])
            for number, group in enumerate(spread(kind, self._spec), start=1)
        ]

    def _of_networks(self, kind: Kind, networks: Sequence[str]) -> list[Step]:
        devices = self._spec.retrain.devices if kind == Kind.TRAIN else 1
        return [Step(key=f"{kind}-{name}", kind=kind, network=name, devices=devices) for name in networks]


def divide(step: Step, groups: Sequence[Sequence[CellRef]], taken: Collection[str]) -> list[Step]:
    """The step with the first group of its cells, and a new one for each of the others. Each can go on from the checkpoint of the
    whole: what that holds of a cell is the cell's own.

    Args:
        taken: keys of the steps that there are.
    """
    assert sorted(str(cell) for group in groups for cell in group) == sorted(step.cells)
    free = (key for number in count(1) if (key := f"{step.kind}-{number}") not in taken)
    keys = [step.key, *(next(free) for _ in groups[1:])]
    return [
        step.model_copy(update={"key": key, "cells": [str(cell) for cell in group]})
        for key, group in zip(keys, groups, strict=True)
    ]
