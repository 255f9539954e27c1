"""The select step: frontier, winner, and an honest control."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dna_engine import choose
from dna_engine.choose import gather, run_step
from dna_engine.errors import InfeasibleBudget
from dna_engine.plans import Kind, Step
from dna_engine.select import Problem, best, frontier, load_ratings
from dna_engine.select.control import BAND
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import ResolvedSpec
from dna_engine.training.network import count
from tests.dna_engine.runs import context, tiny_spec

STEP = Step(key="select", kind=Kind.SELECT)


def lay_ratings(spec: ResolvedSpec, run: Path, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    space = spec.parsed_space
    (run / "ratings").mkdir(parents=True)
    for ref in space.cells:
        losses = rng.random(space.path_count(space.cell(ref))).tolist()
        (run / f"ratings/{ref}.json").write_text(json.dumps({"block": ref.block, "cell": ref.cell, "losses": losses}))


def test_the_step_leaves_ratings_selection_and_architectures(tmp_path: Path) -> None:
    spec = tiny_spec(space="mbconv-small")
    lay_ratings(spec, tmp_path)
    where, _ = context(tmp_path)
    result = run_step(spec, STEP, where)
    assert all((tmp_path / name).exists() for name in STEP.outputs(spec))

    problem = Problem(load_ratings(tmp_path / "ratings.json"))
    selection = json.loads((tmp_path / "selection.json").read_text())
    expected = best(problem, spec.budget.limits).networks[0]
    assert selection["winner"]["loss"] == expected.loss
    points = frontier(problem, "flops")
    assert [point["flops"] for point in selection["frontier"]] == points.costs.tolist()
    assert [point["loss"] for point in selection["frontier"]] == points.losses.tolist()
    assert selection["winner"]["loss"] in points.losses
    for name in ("winner", "control"):
        described = json.loads((tmp_path / name / "architecture.json").read_text())
        assert described == result.values[name]["architecture"]
        cost = architecture_cost(Architecture.from_json(described))
        assert (cost.flops, cost.params) == (selection[name]["flops"], selection[name]["params"])
        assert cost.flops <= spec.budget.limits["flops"]
        assert described["preprocessing"]["size"] == described["preprocessing"]["resize"] == 16
        assert described["preprocessing"]["classes"] == [str(digit) for digit in range(10)]
    assert result.values["winner"]["architecture"] != result.values["control"]["architecture"]
    assert abs(selection["control"]["flops"] / selection["winner"]["flops"] - 1) <= BAND


def test_large_images_are_resized_before_the_middle_is_cut_out(tmp_path: Path) -> None:
    spec = tiny_spec(space="mbconv-small", input_size=224)
    lay_ratings(spec, tmp_path)
    where, _ = context(tmp_path)
    described = run_step(spec, STEP, where).values["winner"]["architecture"]
    assert (described["preprocessing"]["resize"], described["preprocessing"]["size"]) == (256, 224)


def test_block_weights_and_the_budget_decide(tmp_path: Path) -> None:
    spec = tiny_spec(block_weights=[0, 0, 1])
    lay_ratings(spec, tmp_path)
    where, _ = context(tmp_path)
    values = run_step(spec, STEP, where).values
    last = json.loads((tmp_path / "ratings/b3c1.json").read_text())["losses"]
    assert values["winner"]["loss"] == min(last)


def test_a_budget_that_only_the_ratings_step_can_refuse(tmp_path: Path) -> None:
    spec = tiny_spec()
    lay_ratings(spec, tmp_path)
    low = Problem(gather(spec, tmp_path)).cost_range["flops"][0]
    tight = spec.model_copy(update={"budget": spec.budget.model_copy(update={"flops": low - 1})})
    where, _ = context(tmp_path)
    with pytest.raises(InfeasibleBudget, match=f"{low:,}"):
        run_step(tight, STEP, where)


def test_what_a_network_costs_is_made_sure_of_before_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(space="mbconv-small")
    lay_ratings(spec, tmp_path)
    monkeypatch.setattr(choose, "count", lambda network: replace(count(network), flops=1))
    with pytest.raises(AssertionError):
        run_step(spec, STEP, context(tmp_path)[0])
