"""Selection on the paper's spaces: against an independent MILP, and in the shapes that strain it."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from benchmarks.selection_baselines import Traversal, one_by_one, solve_milp, without_dominated
from benchmarks.selection_instances import made_up_latency, made_up_problem, made_up_ratings, middle
from dna_engine.errors import InfeasibleBudget
from dna_engine.select import Allowance, LatencyTable, Network, Problem, Ratings, best, frontier, selection
from dna_engine.space import SPACES
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import Budget

INSTANCES = 20
LIMITS = [[*names] for count in (1, 2, 3) for names in itertools.combinations(("flops", "params", "latency_ns"), count)]


@pytest.fixture(scope="module")
def problem() -> Problem:
    return made_up_problem(SPACES["dna-mbconv"], 0, noise=0.05)


@pytest.mark.parametrize("seed", range(INSTANCES))
def test_milp_finds_the_same(seed: int) -> None:
    """HiGHS, on 20 instances of ``dna-mbconv`` under every mix of limits; spared the paths that others dominate."""
    problem = made_up_problem(SPACES["dna-mbconv"], seed, noise=(0.05, 0.1, 0.2)[seed % 3])
    names = LIMITS[seed % len(LIMITS)]
    limits = {name: middle(problem, name, 0.2 + 0.1 * (seed % 5)) for name in names}
    network = best(problem, limits).networks[0]
    rows = {problem.row(name): limit for name, limit in limits.items()}
    outcome = solve_milp(without_dominated(problem.trellis, list(rows)), rows, seconds=60)
    assert outcome.complete
    assert outcome.loss == pytest.approx(network.loss, rel=1e-7)
    check(problem, network, limits)


def check(problem: Problem, network: Network, limits: dict[str, int]) -> None:
    """A network's figures, counted anew from its architecture and from the ratings."""
    cost = architecture_cost(network.architecture)
    assert (network.costs["flops"], network.costs["params"]) == (cost.flops, cost.params)
    assert all(network.costs[name] <= limit for name, limit in limits.items())
    space, loss = problem.ratings.space, 0.0
    for ref in [ref for ref in space.cells if network.choices[ref.block - 1][0] == ref.cell]:
        path = list(space.paths(space.cell(ref))).index(network.choices[ref.block - 1][1])
        loss += float(problem.ratings.losses[ref][path])
    assert loss == network.loss


def test_traversal_finds_the_same() -> None:
    problem = Problem(made_up_ratings(SPACES["dna-mbconv-single"], 1, noise=0.4))
    found = best(problem, {"flops": 350_000_000}).networks[0]
    outcome = Traversal(problem.trellis, 0, 350_000_000, loss_bounds=True, seconds=60).run()
    assert outcome.complete
    assert outcome.loss == pytest.approx(found.loss, rel=1e-12)


@pytest.mark.parametrize("cost", ["flops", "params", "latency_ns"])
def test_frontier_and_best_agree(problem: Problem, cost: str) -> None:
    """A budget at a point gets the point's loss; a unit less gets the point before."""
    front = frontier(problem, cost)
    for point in np.linspace(1, len(front) - 1, 12).astype(int).tolist():
        limit = int(front.costs[point])
        assert best(problem, {cost: limit}).networks[0].loss == front.losses[point]
        assert best(problem, {cost: limit - 1}).networks[0].loss == front.losses[point - 1]
        network = front.network(point)
        assert (network.costs[cost], network.loss) == (limit, front.losses[point])
        check(problem, network, {cost: limit})
    assert front.costs[0] == problem.cost_range[cost][0]
    assert best(problem, {}).networks[0].loss == front.losses[-1]


def test_frontier_of_costs_that_fill_a_word() -> None:
    """Latencies of centuries a layer: sums near 2**62, which cannot share a word with an index."""
    space = SPACES["mbconv-small"]
    ratings = made_up_ratings(space, 0, noise=0.1, input_size=32)
    table = made_up_latency(space, 0, input_size=32)
    factor = 2**61 // max(Problem(ratings, latency=table).cost_range["latency_ns"])
    slow = LatencyTable(
        stem=table.stem * factor,
        layers={layer: time * factor for layer, time in table.layers.items()},
        heads={width: time * factor for width, time in table.heads.items()},
    )
    fast, front = (frontier(Problem(ratings, latency=each), "latency_ns") for each in (table, slow))
    assert np.array_equal(front.costs, fast.costs * factor)
    assert np.array_equal(front.losses, fast.losses)
    assert front.network(5).choices == fast.network(5).choices


@pytest.mark.parametrize("digits", [2, 17])
@pytest.mark.parametrize("names", LIMITS[2:])
def test_the_best_are_those_found_one_by_one(names: list[str], digits: int) -> None:
    """The first of a few hundred, with ratings rounded so that some tie."""
    ratings = made_up_ratings(SPACES["dna-mbconv"], digits, noise=0.05)
    rounded = {ref: np.round(losses, digits) for ref, losses in ratings.losses.items()}
    problem = Problem(Ratings(ratings.space, ratings.input_size, rounded), latency=made_up_latency(ratings.space, 1))
    limits = {name: middle(problem, name) for name in names}
    found = best(problem, limits, 256).networks
    assert list(found[:8]) == one_by_one(problem, limits, 8).networks
    assert len({network.choices for network in found}) == 256
    ranks = [(network.loss, network.costs["flops"], network.costs["params"]) for network in found]
    assert ranks == sorted(ranks)
    assert all(network.costs[name] <= limit for network in found for name, limit in limits.items())


@pytest.mark.parametrize("min_distance", [2, 3, 6, 12])
def test_networks_apart_are_the_same_however_many_are_ranked_ahead(
    problem: Problem, min_distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"flops": middle(problem, "flops"), "latency_ns": middle(problem, "latency_ns")}
    answers = []
    for ahead in ((1,), (4, 16), (20,)):
        monkeypatch.setattr(selection, "_AHEAD", ahead)
        answers.append(best(problem, limits, 8, min_distance))
    assert answers[0] == answers[1] == answers[2]


def test_hundreds_of_networks_take_few_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a small part of what an answer to a request may take, however close the networks are."""
    spent: list[int] = []
    monkeypatch.setattr(Allowance, "spend", lambda _self, steps: spent.append(steps))
    for noise in (0.2, 0.05, 0.01):
        problem = made_up_problem(SPACES["dna-mbconv"], 1, noise=noise)
        limits = {name: middle(problem, name) for name in problem.cost_names}
        assert len(best(problem, limits, 256, 1, Allowance(0)).networks) == 256
    assert sum(spent) < 20_000_000


def test_the_best_are_distinct_and_far_apart(problem: Problem) -> None:
    limits = {"flops": middle(problem, "flops"), "params": middle(problem, "params")}
    near, far = best(problem, limits, 5).networks, best(problem, limits, 5, 6).networks
    assert len({network.choices for network in near}) == 5
    assert [network.loss for network in near] == sorted(network.loss for network in near)
    assert near[0] == far[0]
    for one, other in itertools.combinations(far, 2):
        assert layers_apart(one, other) >= 6
    assert all(a.loss <= b.loss for a, b in zip(near, far, strict=True))


def layers_apart(one: Network, other: Network) -> int:
    return sum(
        sum(a != b for a, b in zip(ops, others, strict=True)) if cell == other_cell else max(len(ops), len(others))
        for (cell, ops), (other_cell, others) in zip(one.choices, other.choices, strict=True)
    )


def test_limits_each_feasible_but_not_together(problem: Problem) -> None:
    limits = {name: middle(problem, name, 0.004) for name in ("flops", "params", "latency_ns")}
    with pytest.raises(InfeasibleBudget, match="not together") as caught:
        best(problem, limits)
    assert len(caught.value.nearest) == 3
    for budget in caught.value.nearest:
        check(problem, best(problem, budget).networks[0], budget)
        raised = [name for name in limits if budget[name] > limits[name]]
        for name in raised:
            with pytest.raises(InfeasibleBudget):
                best(problem, budget | {name: budget[name] - 1})


def test_budgets_nearby_can_be_asked_for_as_they_are_told(problem: Problem) -> None:
    """Outside, latency is milliseconds."""
    limits = {name: middle(problem, name, 0.004) for name in ("flops", "latency_ns")}
    with pytest.raises(InfeasibleBudget, match=r"latency_ms at most [\d.]+ ms can") as caught:
        best(problem, limits)
    told = caught.value.to_dict()
    for number, exact in zip(
        re.findall(r"latency_ms (\d+(?:\.\d+)?)", caught.value.message), caught.value.nearest, strict=True
    ):
        assert len(number.replace(".", "").lstrip("0")) <= 4, "nobody reads nanoseconds"
        assert round(float(number) * 1e6) >= exact["latency_ns"], "what is told can be asked for"
    assert (told["binding"], set(told["feasible"])) == (["flops", "latency_ms"], {"flops", "params", "latency_ms"})
    for budget, inside in zip(told["nearest"], caught.value.nearest, strict=True):
        assert Budget.model_validate(budget).limits == inside
    with pytest.raises(InfeasibleBudget) as caught:
        best(problem, {"latency_ns": 1000})
    assert caught.value.param == "budget.latency_ms"
    assert "latency_ms is at most 0.001 ms, the smallest network has" in caught.value.message


def test_all_networks_tie() -> None:
    """Without differences in loss the smallest network is the best, whatever is limited."""
    space = SPACES["dna-mbconv"]
    flat = Problem(Ratings(space, 224, {ref: np.full(space.path_count(space.cell(ref)), 0.1) for ref in space.cells}))
    for limits in ({}, {"flops": 300_000_000}, {"params": 4_000_000}, {"flops": 300_000_000, "params": 4_000_000}):
        assert best(flat, limits).networks[0].costs["flops"] == flat.cost_range["flops"][0]
    assert len(frontier(flat)) == 1


def test_limits_that_never_bind(problem: Problem) -> None:
    huge = {"flops": 2**62, "params": problem.cost_range["params"][1]}
    assert best(problem, huge) == best(problem, {})


def test_answer_as_json(problem: Problem) -> None:
    limits = {"flops": 350_000_000}
    answer = best(problem, limits, 2).to_json()
    assert answer["exact"] is True
    first = answer["architectures"][0]
    assert set(first) == {"loss", "flops", "params", "latency_ns", "blocks"}
    assert [set(block) for block in first["blocks"]] == [{"cell", "ops"}] * 6
    assert best(problem, limits, 2).to_json() == answer
