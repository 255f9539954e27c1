"""Selection against brute force, on small random instances where every network can be listed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from dna_engine.errors import InfeasibleBudget, TooHard
from dna_engine.select import (
    Allowance,
    LatencyTable,
    Problem,
    Ratings,
    best,
    bounded,
    check,
    frontier,
    growth,
    labels,
    pareto,
    selection,
)
from dna_engine.select.trellis import FLOPS, PARAMS, Ints
from dna_engine.space import OPS, Block, Cell, Op, Space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost, block_sizes, in_widths, layer_at
from dna_engine.space.layer import Layer

INSTANCES = 300
INPUT_SIZE = 32
WIDTHS = (8, 16, 24)


@dataclass(frozen=True)
class Listed:
    """A network as brute force sees it; compares by loss, flops, params, then place in the list."""

    loss: float
    costs: dict[str, int]
    index: int
    choices: tuple[tuple[int, tuple[Op, ...]], ...]

    @property
    def rank(self) -> tuple[float, int, int, int]:
        return self.loss, self.costs["flops"], self.costs["params"], self.index


@dataclass(frozen=True)
class Instance:
    ratings: Ratings
    weights: list[float]
    latency: LatencyTable | None

    @property
    def problem(self) -> Problem:
        return Problem(self.ratings, self.weights, self.latency)


def random_space(rng: np.random.Generator) -> Space:
    ops = [OPS["mb3_3x3"], OPS["mb6_5x5"], Op(name="plain", kernel=3, expansion=3, se_ratio=0.0), OPS["skip"]]
    chosen = [ops[0], *(op for op in ops[1:] if rng.random() < 0.5)]
    blocks = tuple(
        Block(
            stride=int(rng.integers(1, 3)),
            cells=tuple(
                Cell(depth=int(rng.integers(1, 3)), width=int(rng.choice(WIDTHS))) for _ in range(rng.integers(1, 4))
            ),
        )
        for _ in range(rng.integers(1, 5))
    )
    space = Space(name="small", blocks=blocks, ops=tuple(chosen), stem_width=8, first_width=8, head_width=16)
    return space if space.networks <= 3000 else random_space(rng)


def random_losses(rng: np.random.Generator, count: int) -> np.ndarray:
    """Sometimes coarse, so that sums tie; sometimes of very different sizes, so that rounding matters."""
    match rng.integers(4):
        case 0:
            return rng.integers(0, 3, count) / 4
        case 1:
            return np.round(rng.random(count), 1)
        case 2:
            return rng.random(count) * 10.0 ** rng.integers(-9, 6, count)
        case _:
            return rng.random(count)


def random_latency(rng: np.random.Generator, space: Space) -> LatencyTable:
    layers: dict[Layer, int] = {}
    sizes = block_sizes(space, INPUT_SIZE)
    for number, block in enumerate(space.blocks, start=1):
        for cell, width in itertools.product(block.cells, in_widths(space, number)):
            for index in range(cell.depth):
                for op in space.layer_ops(index):
                    layer = layer_at(space, number, cell, index, op, in_width=width, in_size=sizes[number - 1])
                    layers.setdefault(layer, int(rng.integers(1, 8)))
    return LatencyTable(stem=3, layers=layers, heads={width: int(rng.integers(1, 8)) for width in WIDTHS})


def random_instance(seed: int) -> Instance:
    rng = np.random.default_rng(seed)
    space = random_space(rng)
    losses = {ref: random_losses(rng, space.path_count(space.cell(ref))) for ref in space.cells}
    ratings = Ratings(space, INPUT_SIZE, losses, num_classes=int(rng.integers(2, 20)), in_chans=int(rng.integers(1, 4)))
    weights = [float(rng.choice([1.0, 0.0, 0.3, 2.0])) for _ in space.blocks]
    return Instance(ratings, weights, random_latency(rng, space) if seed % 2 else None)


def every_network(instance: Instance) -> Iterator[Listed]:
    """Straight from the definitions: no tables, the cost of every network counted by the formulas of dna_engine.space.cost."""
    ratings, space = instance.ratings, instance.ratings.space
    per_block = []
    for number, block in enumerate(space.blocks, start=1):
        refs = [ref for ref in space.cells if ref.block == number]
        per_block.append(
            [
                (ref.cell, path, float(loss))
                for ref, cell in zip(refs, block.cells, strict=True)
                for path, loss in zip(space.paths(cell), ratings.losses[ref], strict=True)
            ]
        )
    for index, picks in enumerate(itertools.product(*per_block)):
        total = 0.0
        for weight, (_, _, loss) in zip(instance.weights, picks, strict=True):
            total += weight * loss
        choices = tuple((cell, path) for cell, path, _ in picks)
        architecture = Architecture.from_choices(
            space, choices, input_size=INPUT_SIZE, num_classes=ratings.num_classes, in_chans=ratings.in_chans
        )
        cost = architecture_cost(architecture)
        costs = {"flops": cost.flops, "params": cost.params}
        if instance.latency is not None:
            costs["latency_ns"] = instance.latency.architecture(architecture)
        yield Listed(total, costs, index, choices)


def random_limits(rng: np.random.Generator, networks: list[Listed]) -> dict[str, int]:
    """One to three limits between just below the smallest and the largest; often at the cost of a network exactly."""
    names = list(networks[0].costs)
    tight = rng.random() < 0.25
    limited = rng.permutation(names)[: rng.integers(1, len(names) + 1)]
    anchor = networks[rng.integers(len(networks))]
    limits = {}
    for name in limited:
        values = [network.costs[name] for network in networks]
        span = max(values) - min(values)
        free = int(min(values) + span * (rng.uniform(-0.02, 0.1) if tight else rng.uniform(0, 1.05)))
        limits[str(name)] = anchor.costs[name] if rng.random() < 0.5 and not tight else free
    return limits


def distance(space: Space, one: Listed, other: Listed) -> int:
    total = 0
    for (cell, ops), (other_cell, other_ops) in zip(one.choices, other.choices, strict=True):
        if cell == other_cell:
            total += sum(a != b for a, b in zip(ops, other_ops, strict=True))
        else:
            total += max(len(ops), len(other_ops))
    return total


def listed_best(space: Space, fitting: list[Listed], top_k: int, min_distance: int) -> list[Listed]:
    chosen: list[Listed] = []
    while len(chosen) < top_k:
        open_ = [n for n in fitting if all(distance(space, n, c) >= min_distance for c in chosen)]
        if not open_:
            break
        chosen.append(min(open_, key=lambda network: network.rank))
    return chosen


@pytest.mark.parametrize("seed", range(INSTANCES))
def test_best_and_frontier_equal_brute_force(seed: int) -> None:
    instance = random_instance(seed)
    networks = list(every_network(instance))
    rng = np.random.default_rng(1000 + seed)
    limits = random_limits(rng, networks)
    fitting = [n for n in networks if all(n.costs[name] <= limit for name, limit in limits.items())]
    top_k, min_distance = (int(rng.integers(2, 6)), int(rng.integers(1, 4))) if seed % 3 == 0 else (1, 1)
    if fitting:
        found = best(instance.problem, limits, top_k, min_distance).networks
        wanted = listed_best(instance.ratings.space, fitting, top_k, min_distance)
        assert [(n.loss, n.costs, n.choices) for n in found] == [(n.loss, n.costs, n.choices) for n in wanted]
        check(instance.problem, limits)
    else:
        check_infeasible(instance.problem, limits, networks)
    check_frontier(instance.problem, networks, str(rng.choice(list(networks[0].costs))))


@pytest.mark.parametrize("seed", range(0, INSTANCES, 4))
def test_portions_and_beams_lose_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with portions, beams and comparisons so short that small instances need many of them."""
    shorten(monkeypatch)
    instance = random_instance(seed)
    networks = list(every_network(instance))
    limits = random_limits(np.random.default_rng(2000 + seed), networks)
    fitting = [n for n in networks if all(n.costs[name] <= limit for name, limit in limits.items())]
    if fitting:
        network = best(instance.problem, limits).networks[0]
        wanted = min(fitting, key=lambda listed: listed.rank)
        assert (network.loss, network.costs, network.choices) == (wanted.loss, wanted.costs, wanted.choices)
    else:
        check_infeasible(instance.problem, limits, networks)


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "_PAIRS", 7)
    monkeypatch.setattr(growth, "_FIRST_LABELS", 2)
    monkeypatch.setattr(bounded, "_BEAM", 3)
    for name, value in (("_CHUNK", 4), ("_FIRST_BLOCK", 2), ("_STRONGEST", 3), ("_FEW_CHUNKS", 2)):
        monkeypatch.setattr(pareto, name, value)


@pytest.mark.parametrize("seed", range(0, INSTANCES, 3))
def test_many_networks_equal_brute_force(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Often more than there are; half of the instances with portions, beams and comparisons as short as above."""
    if seed % 2:
        shorten(monkeypatch)
    instance = random_instance(seed)
    networks = list(every_network(instance))
    rng = np.random.default_rng(3000 + seed)
    limits = random_limits(rng, networks)
    fitting = [n for n in networks if all(n.costs[name] <= limit for name, limit in limits.items())]
    top_k = int(rng.choice([6, 40, 256, 3001]))
    if fitting:
        found = best(instance.problem, limits, top_k).networks
        wanted = sorted(fitting, key=lambda listed: listed.rank)[:top_k]
        assert [(n.loss, n.costs, n.choices) for n in found] == [(n.loss, n.costs, n.choices) for n in wanted]


@pytest.mark.parametrize("ahead", [(1,), (1, 2), (3, 50)])
@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_networks_apart_equal_brute_force_however_many_are_ranked_ahead(
    seed: int, ahead: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_AHEAD", ahead)
    instance = random_instance(seed)
    networks = list(every_network(instance))
    limits = random_limits(np.random.default_rng(4000 + seed), networks)
    fitting = [n for n in networks if all(n.costs[name] <= limit for name, limit in limits.items())]
    for min_distance in (2, 3) if fitting else ():
        found = best(instance.problem, limits, 8, min_distance).networks
        wanted = listed_best(instance.ratings.space, fitting, 8, min_distance)
        assert [(n.loss, n.costs, n.choices) for n in found] == [(n.loss, n.costs, n.choices) for n in wanted]


def check_infeasible(problem: Problem, limits: dict[str, int], networks: list[Listed]) -> None:
    with pytest.raises(InfeasibleBudget) as caught:
        check(problem, limits)
    error = caught.value
    with pytest.raises(InfeasibleBudget) as again:
        best(problem, limits)
    assert again.value.to_dict() == error.to_dict()
    assert error.binding
    assert set(error.binding) <= set(limits)
    for name, span in error.feasible.items():
        values = [network.costs[name] for network in networks]
        assert span == [min(values), max(values)]
    for budget in error.nearest:
        inside = [n for n in networks if all(n.costs[name] <= limit for name, limit in budget.items())]
        assert inside, "a budget that is offered has a network"
        raised = [name for name in limits if budget[name] > limits[name]]
        assert raised
        for name in raised:
            assert min(n.costs[name] for n in inside) == budget[name], "and is no larger than it must be"


def check_frontier(problem: Problem, networks: list[Listed], cost: str) -> None:
    wanted: list[tuple[int, float]] = []
    for value, loss in sorted({(n.costs[cost], n.loss) for n in networks}):
        if not wanted or loss < wanted[-1][1]:
            wanted.append((value, loss))
    found = frontier(problem, cost)
    assert list(zip(found.costs.tolist(), found.losses.tolist(), strict=True)) == wanted
    costs = problem.trellis.costs(found.positions(np.arange(len(found))))
    for point in range(0, len(found), 7):
        network = found.network(point)
        assert (network.costs[cost], network.loss) == wanted[point]
        assert dict(zip(problem.cost_names, costs[point].tolist(), strict=True)) == network.costs
        assert architecture_cost(network.architecture).flops == network.costs["flops"]


def test_instances_cover_what_they_claim() -> None:
    """The 300 instances hold ties for the best loss, infeasible budgets, and one, two and three limits."""
    ties = infeasible = 0
    counts = set()
    for seed in range(0, INSTANCES, 5):
        networks = list(every_network(random_instance(seed)))
        limits = random_limits(np.random.default_rng(1000 + seed), networks)
        fitting = [n for n in networks if all(n.costs[name] <= limit for name, limit in limits.items())]
        infeasible += not fitting
        ties += bool(fitting) and sum(n.loss == min(m.loss for m in fitting) for n in fitting) > 1
        counts.add(len(limits))
    assert ties >= 5
    assert infeasible >= 3
    assert counts == {1, 2, 3}


@pytest.mark.parametrize(("strides", "share"), [((2, 2, 2), 0.1), ((2, 1, 1, 1, 1), 0.1), ((2, 1, 1, 1, 1), 0.5)])
def test_whether_a_budget_fits_is_found_with_few_labels(
    strides: tuple[int, ...], share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of paths whose ops trade flops for params: without losses, nothing but the costs bounds the search."""
    ops = tuple(Op(name=f"o{i}", kernel=3 + 2 * (i % 7), se_ratio=1 - i * 0.06, expansion=4) for i in range(16))
    cells = tuple(Cell(depth=2, width=8 * width) for width in range(1, 9))
    space = Space(name="wide", blocks=tuple(Block(stride=stride, cells=cells) for stride in strides), ops=ops)
    losses = {ref: np.zeros(space.path_count(space.cell(ref))) for ref in space.cells}
    problem = Problem(Ratings(space=space, input_size=INPUT_SIZE, num_classes=10, losses=losses))
    low, high = problem.cost_range["flops"]
    flops = int(low + share * (high - low))
    least = bounded.solve(problem.trellis.minimizing(PARAMS), {FLOPS: flops})
    assert least
    grown = count_grown(monkeypatch)
    check(problem, {"flops": flops, "params": 2 * least.costs[PARAMS]})
    check(problem, {"flops": flops, "params": least.costs[PARAMS]})
    with pytest.raises(InfeasibleBudget):
        check(problem, {"flops": flops, "params": least.costs[PARAMS] - 1})
    assert sum(grown) < 100_000


def count_grown(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many labels each extension grows from now on."""
    grown: list[int] = []
    real = labels.pairs

    def counted(index: Ints, counts: Ints) -> tuple[Ints, Ints]:
        grown.append(int(counts.sum()))
        return real(index, counts)

    monkeypatch.setattr(growth, "pairs", counted)
    return grown


def test_an_allowance_ends_what_takes_longer_and_changes_nothing_else() -> None:
    instance = next(
        instance for instance in map(random_instance, range(INSTANCES)) if len(instance.ratings.space.blocks) > 2
    )
    problem, limits = instance.problem, {"flops": instance.problem.cost_range["flops"][1] - 1}
    assert best(problem, limits, 3, 1, Allowance(10**9)) == best(problem, limits, 3, 1)
    for ask in (lambda: best(problem, limits, 3, 1, Allowance(5)), lambda: check(problem, limits, Allowance(-1))):
        with pytest.raises(TooHard, match="smaller min_distance"):
            ask()


def test_an_allowance_is_spent_by_the_labels_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = next(
        instance for instance in map(random_instance, range(INSTANCES)) if len(instance.ratings.space.blocks) > 2
    )
    problem, limits = instance.problem, {"flops": sum(instance.problem.cost_range["flops"]) // 2}
    grown, spent = count_grown(monkeypatch), []
    monkeypatch.setattr(Allowance, "spend", lambda _self, steps: spent.append(steps))
    best(problem, limits, 5, 2, Allowance(0))
    assert sum(spent) > sum(grown) > 0
