"""Networks are timed whole, and one that is too slow gives way to the next of the ranking. No test depends on how fast this machine is:
where it matters, what a network takes is made up of its multiply-adds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dna_engine import choose, whole
from dna_engine.errors import InfeasibleBudget
from dna_engine.events import Log
from dna_engine.plans import Kind, Step, files
from dna_engine.plans.results import NetworksTimed, Timed
from dna_engine.runtime.context import Context
from dna_engine.select import LatencyTable, best
from dna_engine.space.architecture import Architecture
from dna_engine.spec import ResolvedSpec, ResolvedTiming
from tests.api.builders import latency
from tests.dna_engine.runs import TINY_NETWORK, context, tiny_spec
from tests.dna_engine.test_choose import lay_ratings

STEP = Step(key="time", kind=Kind.TIME)


def rated(run: Path, *, limit_ms: float, finalists: int = 0, **fields: Any) -> ResolvedSpec:
    """A search whose ratings and layers are known."""
    spec = tiny_spec(budget={"latency_ms": limit_ms}, select={"finalists": finalists}, **fields)
    lay_ratings(spec, run)
    table: LatencyTable = latency(spec.parsed_space, spec.input_size)
    (run / files.LATENCY).write_text(json.dumps(table.to_json()))
    return spec


def takes(monkeypatch: pytest.MonkeyPatch, milliseconds: Any) -> None:
    """What each network takes from now on, by both runtimes."""

    def timed(architecture: Architecture, *_: Context) -> Timed:
        took = milliseconds(architecture)
        return Timed(median_ms=took, p95_ms=took, runs=1)

    monkeypatch.setattr(whole, "time_torch", timed)
    monkeypatch.setattr(whole, "time_runtime", timed)


def test_a_winner_over_its_limit_gives_way_to_the_next_of_the_ranking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = rated(tmp_path, limit_ms=5.0)
    where, recorder = context(tmp_path)
    ranked = best(choose.problem_of(spec, tmp_path), spec.budget.limits, 10).networks
    slow = {network.architecture for network in ranked[:2]}
    takes(monkeypatch, lambda architecture: 9.0 if architecture in slow else 4.0)
    result = whole.run_step(spec, STEP, where)
    found = NetworksTimed.model_validate(result.values)
    assert result.artifacts == STEP.outputs(spec) == ["timed.json"]
    assert [(one.holds, one.onnxruntime is None) for one in found.networks] == [
        (False, True),
        (False, True),
        (True, False),
    ]
    assert found.limit_ms == 5.0
    [said] = recorder.of(Log)
    assert said.level == "warning"
    assert "takes 9 ms whole" in said.message
    assert "the one in place 3 of the ranking, with 4 ms," in said.message
    selected = choose.run_step(spec, Step(key="select", kind=Kind.SELECT), where)
    assert selected.values["winner"]["loss"] == ranked[2].loss


def test_as_many_as_there_are_finalists_keep_within_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = rated(tmp_path, limit_ms=5.0, finalists=3)
    takes(monkeypatch, lambda architecture: 4.0)
    where, recorder = context(tmp_path)
    whole.run_step(spec, STEP, where)
    problem = choose.problem_of(spec, tmp_path)
    expected = [network.to_json() for network in best(problem, spec.budget.limits, 3).networks]
    assert [network.to_json() for network in choose.shortlist(problem, spec, tmp_path)] == expected
    assert not recorder.of(Log)


def test_where_all_of_the_ranking_are_too_slow_smaller_ones_are_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "BEYOND", 1)
    spec = rated(tmp_path, limit_ms=5.0, space="mbconv-small")
    first = best(choose.problem_of(spec, tmp_path), spec.budget.limits, 2).networks
    table = latency(spec.parsed_space, spec.input_size)
    most = 0.97 * min(table.architecture(network.architecture) for network in first)
    takes(monkeypatch, lambda architecture: 5.0 * table.architecture(architecture) / most)
    found = NetworksTimed.model_validate(whole.run_step(spec, STEP, context(tmp_path)[0]).values)
    assert [one.holds for one in found.networks] == [False, False, True]


def test_where_none_keeps_within_it_the_fastest_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = rated(tmp_path, limit_ms=5.0)
    takes(monkeypatch, lambda architecture: 9.0)
    with pytest.raises(InfeasibleBudget, match=r"the fastest takes 9 ms\. Ask for 9\.45 ms or more") as caught:
        whole.run_step(spec, STEP, context(tmp_path)[0])
    assert caught.value.param == "budget.latency_ms"


def test_a_network_alone_is_timed_by_both_runtimes_where_it_runs(tmp_path: Path) -> None:
    spec = ResolvedTiming(name="", seed=0, labels={}, architecture_id="1", architecture=TINY_NETWORK.to_json())
    found = NetworksTimed.model_validate(whole.run_step(spec, STEP, context(tmp_path)[0]).values)
    [one] = found.networks
    for took in (one.torch, one.onnxruntime):
        assert took is not None
        assert 0 < took.median_ms <= took.p95_ms
    assert (found.device, found.threads) == (found.cpu, torch.get_num_threads())
    assert ":" not in found.device
    assert (tmp_path / "timed.json").exists()
