"""Latency tables: a row for every layer that selection may ask for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dna_engine.choose import gather, run_step
from dna_engine.errors import InfeasibleBudget
from dna_engine.plans import Kind, Step
from dna_engine.plans.results import LatencyMeasured
from dna_engine.select import LatencyTable, Problem, best
from dna_engine.space import SPACES
from dna_engine.space.cost import layer_cost
from dna_engine.training import latency
from tests.dna_engine.runs import context, tiny_spec
from tests.dna_engine.test_choose import lay_ratings


@pytest.mark.parametrize("name", ["mbconv-small", "fused-small"])
def test_layers_are_built_as_inside_a_network(name: str) -> None:
    for layer in latency.layers(SPACES[name], 16):
        module = latency.build_layer(layer, SPACES[name].activation)
        assert sum(p.numel() for p in module.parameters()) == layer_cost(layer).params
        after = module.eval()(torch.zeros(1, layer.in_width, layer.in_size, layer.in_size))
        assert after.shape[1:] == (
            layer.out_width,
            -(-layer.in_size // layer.stride),
            -(-layer.in_size // layer.stride),
        )


def test_time_is_measured() -> None:
    small = latency.time_module(torch.nn.Conv2d(8, 8, 3), torch.randn(1, 8, 16, 16))
    large = latency.time_module(torch.nn.Conv2d(64, 64, 7), torch.randn(1, 64, 64, 64))
    assert 0 < small < large


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run")
    spec = tiny_spec(budget={"latency_ms": 1000})
    lay_ratings(spec, run)
    where, _ = context(run)
    step = Step(key="latency", kind=Kind.LATENCY)
    result = latency.run_step(spec, step, where)
    assert result.artifacts == step.outputs(spec) == ["latency.json"]
    found = LatencyMeasured.model_validate(result.values)
    told = json.loads((run / "latency.json").read_text())
    assert (len(told["layers"]), told["device"], told["torch"]) == (found.layers, found.device, found.torch)
    return run


def test_the_table_serves_every_network_of_the_space(run: Path) -> None:
    table = LatencyTable.from_json(json.loads((run / "latency.json").read_text()))
    problem = Problem(gather(tiny_spec(), run), latency=table)
    low, high = problem.cost_range["latency_ns"]
    assert 0 < low < high
    rng = np.random.default_rng(0)
    for _ in range(20):
        network = problem.network([int(rng.integers(count)) for count in problem.ratings.space.paths_per_block])
        assert network.costs["latency_ns"] == table.architecture(network.architecture)


def test_selection_keeps_a_latency_budget(run: Path) -> None:
    table = LatencyTable.from_json(json.loads((run / "latency.json").read_text()))
    problem = Problem(gather(tiny_spec(), run), latency=table)
    low, high = problem.cost_range["latency_ns"]
    spec = tiny_spec(select={"finalists": 0}, budget={"latency_ms": (low + high) / 2e6})
    spec = spec.model_copy(update={"times_networks": False})
    where, _ = context(run)
    winner = run_step(spec, Step(key="select", kind=Kind.SELECT), where).values["winner"]
    assert winner["latency_ns"] <= spec.budget.limits["latency_ns"]
    assert winner["loss"] == best(problem, spec.budget.limits).networks[0].loss


def test_a_limit_below_what_any_network_reaches_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    spec = tiny_spec(budget={"latency_ms": 1e-4})
    with pytest.raises(
        InfeasibleBudget, match=r"latency_ms is at most 0.0001 ms, the smallest network has [\d.]+ ms"
    ) as caught:
        latency.run_step(spec, Step(key="latency", kind=Kind.LATENCY), context(tmp_path)[0])
    assert caught.value.nearest[0]["latency_ns"] == caught.value.feasible["latency_ns"][0]
