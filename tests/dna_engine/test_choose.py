"""The select step: frontier, winner, and an honest control."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dna_engine import choose
from dna_engine.choose import gather, problem_of, run_step, shortlist
from dna_engine.errors import InfeasibleBudget
from dna_engine.plans import Kind, Step, files
from dna_engine.plans.results import Finalist, FinalistTried, Selected
from dna_engine.select import Network, Problem, best, frontier, load_ratings
from dna_engine.select.control import BAND
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import ResolvedSpec
from dna_engine.training.network import count
from tests.dna_engine.runs import context, tiny_spec

STEP = Step(key="select", kind=Kind.SELECT)


def rated_spec(**fields: Any) -> ResolvedSpec:
    """A search whose ratings alone decide."""
    return tiny_spec(select={"finalists": 0}, **fields)


def lay_ratings(spec: ResolvedSpec, run: Path, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    space = spec.parsed_space
    (run / "ratings").mkdir(parents=True)
    for ref in space.cells:
        losses = rng.random(space.path_count(space.cell(ref))).tolist()
        (run / f"ratings/{ref}.json").write_text(json.dumps({"block": ref.block, "cell": ref.cell, "losses": losses}))


def test_the_step_leaves_ratings_selection_and_architectures(tmp_path: Path) -> None:
    spec = rated_spec(space="mbconv-small")
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
    spec = rated_spec(space="mbconv-small", input_size=224)
    lay_ratings(spec, tmp_path)
    where, _ = context(tmp_path)
    described = run_step(spec, STEP, where).values["winner"]["architecture"]
    assert (described["preprocessing"]["resize"], described["preprocessing"]["size"]) == (256, 224)


def test_block_weights_and_the_budget_decide(tmp_path: Path) -> None:
    spec = rated_spec(block_weights=[0, 0, 1])
    lay_ratings(spec, tmp_path)
    where, _ = context(tmp_path)
    values = run_step(spec, STEP, where).values
    last = json.loads((tmp_path / "ratings/b3c1.json").read_text())["losses"]
    assert values["winner"]["loss"] == min(last)


def test_a_budget_that_only_the_ratings_step_can_refuse(tmp_path: Path) -> None:
    spec = rated_spec()
    lay_ratings(spec, tmp_path)
    low = Problem(gather(spec, tmp_path)).cost_range["flops"][0]
    tight = spec.model_copy(update={"budget": spec.budget.model_copy(update={"flops": low - 1})})
    where, _ = context(tmp_path)
    with pytest.raises(InfeasibleBudget, match=f"{low:,}"):
        run_step(tight, STEP, where)


def test_what_a_network_costs_is_made_sure_of_before_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = rated_spec(space="mbconv-small")
    lay_ratings(spec, tmp_path)
    monkeypatch.setattr(choose, "count", lambda network: replace(count(network), flops=1))
    with pytest.raises(AssertionError):
        run_step(spec, STEP, context(tmp_path)[0])


def lay_finalists(spec: ResolvedSpec, run: Path, log_losses: list[float | None]) -> list[Network]:
    """What would have come of the best rated; returns them, best first."""
    rated = shortlist(problem_of(spec, run), spec, run)
    (run / "finalists").mkdir()
    for place, (name, log_loss) in enumerate(zip(spec.finalists, log_losses, strict=True)):
        network = rated[min(place, len(rated) - 1)]
        tried = log_loss and Finalist(
            name=name,
            loss=network.loss,
            **network.costs,
            blocks=network.to_json()["blocks"],
            log_loss=log_loss,
            accuracy=0.5,
            error=0.0,
        )
        (run / files.finalist(name)).write_text(FinalistTried(finalist=tried or None).model_dump_json())
    return list(rated)


@pytest.mark.parametrize(
    ("log_losses", "wins"),
    [([2.0, 1.5, 1.75], 1), ([1.0, 1.5, 1.75], 0), ([2.0, 1.5, 1.5], 1), ([2.0, 1.5, None], 1)],
)
def test_of_the_best_rated_the_least_log_loss_wins(tmp_path: Path, log_losses: list[float | None], wins: int) -> None:
    """Of equal ones the better rated; those that there were not are left out."""
    spec = tiny_spec(space="mbconv-small", select={"finalists": 3})
    lay_ratings(spec, tmp_path)
    rated = lay_finalists(spec, tmp_path, log_losses)
    found = Selected.model_validate(run_step(spec, STEP, context(tmp_path)[0]).values)
    assert found.winner.loss == rated[wins].loss
    assert found.finalists[0].name == f"finalist-{wins + 1}"
    assert [one.log_loss for one in found.finalists] == sorted(filter(None, log_losses))
    selection = json.loads((tmp_path / "selection.json").read_text())
    assert [one["name"] for one in selection["finalists"]] == [one.name for one in found.finalists]
    assert found.control is not None
    assert abs(found.control.flops / found.winner.flops - 1) <= BAND


def test_finalists_are_the_best_rated_that_differ_enough(tmp_path: Path) -> None:
    spec = tiny_spec(space="mbconv-small", select={"finalists": 4, "min_distance": 3})
    lay_ratings(spec, tmp_path)
    problem = problem_of(spec, tmp_path)
    assert shortlist(problem, spec, tmp_path) == best(problem, spec.budget.limits, top_k=4, min_distance=3).networks


def test_the_first_finalist_wins_though_the_ratings_put_others_first_since(tmp_path: Path) -> None:
    """As where latency was measured anew after the finalists were tried."""
    spec = tiny_spec(space="mbconv-small", select={"finalists": 2})
    lay_ratings(spec, tmp_path)
    rated = lay_finalists(spec, tmp_path, [2.0, 1.0])
    tighter = spec.model_copy(
        update={"budget": spec.budget.model_copy(update={"flops": min(one.costs["flops"] for one in rated) - 1})}
    )
    found = Selected.model_validate(run_step(tighter, STEP, context(tmp_path)[0]).values)
    assert found.winner.loss == rated[1].loss
