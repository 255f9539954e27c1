"""Steps: which there are, what they read and leave."""

from __future__ import annotations

import pytest

from dna_engine.images.info import DIGITS
from dna_engine.plans.steps import METRICS, Kind, Step, phase_steps
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve


def spec(**fields: object) -> ResolvedSpec:
    return resolve(SearchSpec.model_validate({"dataset": "digits", **fields}), DIGITS)


def all_steps(search: ResolvedSpec) -> list[Step]:
    groups = [[CellRef(1, 1), CellRef(1, 2), CellRef(2, 1)], [CellRef(2, 2), CellRef(3, 1), CellRef(3, 2)]]
    return [step for kind in Kind for step in phase_steps(kind, search, groups)]


def test_the_steps_of_a_search() -> None:
    assert [step.key for step in all_steps(spec())] == [
        "teacher",
        "distill-1",
        "distill-2",
        "rate-1",
        "rate-2",
        "select",
        "train-winner",
        "train-control",
        "export-winner",
        "export-control",
        "export-pictures",
    ]
    assert not any("control" in step.key for step in all_steps(spec(retrain={"control": False})))


@pytest.mark.parametrize("budget", [{}, {"latency_ms": 5.0}])
def test_every_input_was_left_by_a_step_before(budget: dict[str, float]) -> None:
    search = spec(budget=budget)
    there = {METRICS}  # Gathered from the events of all steps.
    for step in all_steps(search):
        assert there.issuperset(step.inputs(search)), step.key
        assert there.isdisjoint(step.outputs(search)), step.key
        there.update(step.outputs(search))
    assert ("latency.json" in there) == bool(budget)


def test_selection_and_export_need_no_device() -> None:
    assert {step.kind for step in all_steps(spec()) if step.queue == "cpu"} == {Kind.SELECT, Kind.EXPORT}


def test_checkpoints_are_named_by_the_step() -> None:
    step = Step(key="distill-2", kind=Kind.DISTILL, cells=["b1c1"])
    assert step.checkpoint == "checkpoints/distill-2.safetensors"
    assert Step.model_validate_json(step.model_dump_json()) == step
