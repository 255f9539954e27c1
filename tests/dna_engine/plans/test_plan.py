"""Plans: which phases a job of a kind has, and the steps of each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dna_engine.plans import SPREAD_KINDS, Kind, Phase, together
from dna_engine.plans import plan_of as plan
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec
from tests.dna_engine.runs import tiny_spec, tiny_training


def one_by_one(kind: Kind, spec: ResolvedSpec) -> Sequence[Sequence[CellRef]]:
    """Cells over as many workers as there are cells; only what is spread is asked for."""
    assert kind in SPREAD_KINDS
    return [[cell] for cell in spec.parsed_space.cells]


def test_the_steps_of_a_search() -> None:
    assert {phase: [step.key for step in plan(tiny_spec()).steps(phase)] for phase in plan(tiny_spec()).phases} == {
        "teacher": ["teacher"],
        "distill": ["distill-1"],
        "rate": ["rate-1"],
        "finalists": ["finalist-1", "finalist-2"],
        "select": ["select"],
        "train": ["train-winner", "train-control"],
        "export": ["export-winner", "export-control", "pictures"],
    }


def test_the_steps_of_a_training() -> None:
    steps = plan(tiny_training()).all_steps()
    assert plan(tiny_training()).phases == (Phase.TRAIN, Phase.EXPORT)
    assert [(step.key, step.kind, step.network) for step in steps] == [
        ("train", Kind.TRAIN, "network"),
        ("export", Kind.EXPORT, "network"),
    ]


def test_without_a_control_none_is_trained_or_exported() -> None:
    steps = plan(tiny_spec(retrain={"control": False})).all_steps()
    assert {step.network for step in steps if step.kind != Kind.FINALIST} == {None, "winner"}


def test_where_ratings_alone_decide_there_are_no_finalists() -> None:
    plain = plan(tiny_spec(select={"finalists": 0}))
    assert Phase.FINALISTS not in plain.phases
    assert plain.after(Phase.RATE) == Phase.SELECT
    assert all(step.kind != Kind.FINALIST for step in plain.all_steps())


def test_no_phase_is_without_a_step() -> None:
    for spec in (tiny_spec(), tiny_spec(select={"finalists": 0}), tiny_training()):
        assert all(plan(spec).steps(phase) for phase in plan(spec).phases)


def test_where_latency_is_limited_layers_are_measured_first_and_networks_timed_before_any_is_trained() -> None:
    limited = plan(tiny_spec(budget={"latency_ms": 5.0}))
    assert [step.key for step in limited.all_steps()][:5] == ["latency", "teacher", "distill-1", "rate-1", "time"]
    assert (limited.after(Phase.RATE), limited.after(Phase.TIME)) == (Phase.TIME, Phase.FINALISTS)
    assert not {step.kind for step in plan(tiny_spec()).all_steps()} & {Kind.LATENCY, Kind.TIME}


def test_searches_of_versions_that_timed_no_networks_measure_layers_beside_rating() -> None:
    before = plan(tiny_spec(budget={"latency_ms": 5.0}).model_copy(update={"times_networks": False}))
    assert [step.key for step in before.steps(Phase.RATE, one_by_one)][:2] == ["latency", "rate-1"]
    assert [step.kind for step in before.all_steps()].count(Kind.LATENCY) == 1
    assert Phase.TIME not in before.phases


@pytest.mark.parametrize("phase", [Phase.DISTILL, Phase.RATE])
def test_cells_are_grouped_as_they_are_spread(phase: Phase) -> None:
    spec = tiny_spec()
    cells = [str(cell) for cell in spec.parsed_space.cells]
    apart = plan(spec).steps(phase, one_by_one)
    assert [step.cells for step in apart] == [[cell] for cell in cells]
    assert [step.key for step in apart] == [f"{phase}-{number}" for number in range(1, len(cells) + 1)]
    assert [step.cells for step in plan(spec).steps(phase)] == [cells]
    assert [list(group) for group in together(Kind.RATE, spec)] == [spec.parsed_space.cells]


def test_keys_are_unique_within_a_job() -> None:
    for spec in (tiny_spec(budget={"latency_ms": 5.0}), tiny_training()):
        keys = [step.key for phase in plan(spec).phases for step in plan(spec).steps(phase, one_by_one)]
        assert len(set(keys)) == len(keys)


def test_phases_follow_one_another() -> None:
    search, training = plan(tiny_spec()), plan(tiny_training())
    assert search.after(Phase.RATE) == Phase.FINALISTS
    assert search.after(Phase.FINALISTS) == Phase.SELECT
    assert search.later(Phase.SELECT) == (Phase.TRAIN, Phase.EXPORT)
    assert training.after(Phase.TRAIN) == Phase.EXPORT
    for whole in (search, training):
        assert whole.after(Phase.EXPORT) is None
        assert whole.later(Phase.EXPORT) == ()
        assert (whole.phases[0], *whole.later(whole.phases[0])) == whole.phases
