"""Cells over workers: everything once, the slowest as early as possible."""

from __future__ import annotations

import itertools
import random

import pytest

from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.plans import Kind
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve
from worker.scheduling import Costs, assign, step_costs


def brute_force(costs: Costs, speeds: list[float]) -> float:
    cells, workers = list(costs.cells), range(len(speeds))
    best = float("inf")
    for places in itertools.product(workers, repeat=len(cells)):
        groups = [[cell for cell, at in zip(cells, places, strict=True) if at == place] for place in workers]
        best = min(best, costs.end(groups, speeds))
    return best


def drawn(draw: random.Random) -> Costs:
    blocks = draw.randint(1, 4)
    teacher = list(itertools.accumulate(draw.uniform(0, 5) for _ in range(blocks)))
    cells = {CellRef(b, c): draw.uniform(0.1, 3) for b in range(1, blocks + 1) for c in range(1, draw.randint(2, 3))}
    return Costs(teacher, cells)


@pytest.mark.parametrize("unequal", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_no_assignment_is_better(seed: int, *, unequal: bool) -> None:
    draw = random.Random(seed)
    costs, workers = drawn(draw), draw.randint(1, 3)
    speeds = [draw.choice([0.25, 1.0, draw.uniform(0.5, 8)]) if unequal else 1.0 for _ in range(workers)]
    groups = assign(costs, speeds)
    assert sorted(cell for group in groups for cell in group) == sorted(costs.cells)
    assert len(groups) == workers
    assert costs.end(groups, speeds) == pytest.approx(brute_force(costs, speeds))


def test_one_worker_takes_everything() -> None:
    costs = Costs([1.0, 2.0], {CellRef(1, 1): 1.0, CellRef(2, 1): 1.0})
    assert assign(costs, [1.0]) == [[CellRef(1, 1), CellRef(2, 1)]]


def test_no_worker_is_taken_that_does_not_help() -> None:
    """The deep cell alone takes longest, so one more worker is enough for the rest."""
    costs = Costs([1.0, 10.0], {CellRef(1, 1): 1.0, CellRef(1, 2): 1.0, CellRef(2, 1): 1.0})
    groups = assign(costs, [1.0, 1.0, 1.0])
    assert sorted(groups) == [[], [CellRef(1, 1), CellRef(1, 2)], [CellRef(2, 1)]]


def test_a_worker_that_is_far_slower_takes_nothing() -> None:
    costs = Costs([1.0, 2.0], {CellRef(1, 1): 1.0, CellRef(2, 1): 1.0})
    assert assign(costs, [0.1, 1.0]) == [[], [CellRef(1, 1), CellRef(2, 1)]]


def test_the_faster_takes_what_is_deep() -> None:
    costs = Costs([1.0, 6.0], {CellRef(1, 1): 3.0, CellRef(2, 1): 2.0, CellRef(2, 2): 2.0})
    assert assign(costs, [1.0, 3.0]) == [[CellRef(1, 1)], [CellRef(2, 1), CellRef(2, 2)]]


def large() -> ResolvedSpec:
    info = DatasetInfo(
        name="large",
        kind="folder",
        location="/large",
        num_classes=1000,
        num_train=1_000_000,
        num_test=50_000,
        image_size=256,
    )
    return resolve(SearchSpec(dataset="large", space="dna-mbconv"), info)


def test_the_papers_teacher_costs_what_is_counted() -> None:
    """timm's tf_efficientnet_b7 has 5.09e9 multiply-adds at 224 pixels down to its last block."""
    teacher = step_costs(Kind.DISTILL, large()).teacher
    assert teacher[-1] == pytest.approx(5.087, abs=0.001)
    assert teacher == sorted(teacher)


def test_eight_workers_share_the_papers_space() -> None:
    for kind in (Kind.DISTILL, Kind.RATE):
        costs = step_costs(kind, large())
        ends = {workers: costs.end(assign(costs, [1.0] * workers), [1.0] * workers) for workers in (1, 2, 8)}
        assert ends[2] < 0.75 * ends[1]
        assert ends[8] <= ends[2]


def test_rating_costs_more_for_longer_cells() -> None:
    spec = resolve(SearchSpec(dataset="digits"), DIGITS)
    rate, distill = step_costs(Kind.RATE, spec).cells, step_costs(Kind.DISTILL, spec).cells
    assert rate[CellRef(3, 2)] / rate[CellRef(3, 1)] > distill[CellRef(3, 2)] / distill[CellRef(3, 1)] > 1
