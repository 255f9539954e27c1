"""Cells end up the same whether they train together, apart, or after an interruption."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch

from dna_engine import distill, rate, teacher
from dna_engine.distill import draw_path
from dna_engine.errors import Interrupted
from dna_engine.space import CellRef, get_space
from dna_engine.spec import ResolvedSpec
from dna_engine.steps import Kind, Step
from tests.dna_engine.runs import context, tiny_spec

CELLS = ["b1c1", "b1c2", "b2c1", "b3c1"]


@pytest.fixture(scope="module")
def spec() -> ResolvedSpec:
    return tiny_spec(training={"epochs": 2})


@pytest.fixture(scope="module")
def taught(spec: ResolvedSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a teacher."""
    run = tmp_path_factory.mktemp("taught")
    teacher.run_step(spec, Step(key="teacher", kind=Kind.TEACHER), context(run)[0])
    return run


def rated(spec: ResolvedSpec, taught: Path, run: Path, groups: list[list[str]]) -> dict[str, list[float]]:
    """The ratings when each group of cells is a step of its own."""
    shutil.copytree(taught, run, dirs_exist_ok=True)
    for number, cells in enumerate(groups, start=1):
        distill.run_step(spec, Step(key=f"distill-{number}", kind=Kind.DISTILL, cells=cells), context(run)[0])
        rate.run_step(spec, Step(key=f"rate-{number}", kind=Kind.RATE, cells=cells), context(run)[0])
    return {cell: json.loads((run / f"ratings/{cell}.json").read_text())["losses"] for cell in CELLS}


@pytest.fixture(scope="module")
def together(spec: ResolvedSpec, taught: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    return rated(spec, taught, tmp_path_factory.mktemp("together"), [CELLS])


def test_grouping_changes_no_bit(
    spec: ResolvedSpec, taught: Path, together: dict[str, list[float]], tmp_path: Path
) -> None:
    assert rated(spec, taught, tmp_path, [["b3c1", "b1c2"], ["b2c1"], ["b1c1"]]) == together


def test_an_interruption_changes_no_bit(
    spec: ResolvedSpec, taught: Path, together: dict[str, list[float]], tmp_path: Path
) -> None:
    shutil.copytree(taught, tmp_path, dirs_exist_ok=True)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == 13

    step = Step(key="distill-1", kind=Kind.DISTILL, cells=CELLS)
    with pytest.raises(Interrupted):
        distill.run_step(spec, step, context(tmp_path, stop=stop)[0])
    assert (tmp_path / step.checkpoint).exists()
    assert not (tmp_path / "cells").exists()
    distill.run_step(spec, step, context(tmp_path)[0])
    rate.run_step(spec, Step(key="rate-1", kind=Kind.RATE, cells=CELLS), context(tmp_path)[0])
    for cell in CELLS:
        assert json.loads((tmp_path / f"ratings/{cell}.json").read_text())["losses"] == together[cell]


def test_ratings_are_in_the_order_of_the_paths(spec: ResolvedSpec, together: dict[str, list[float]]) -> None:
    space = spec.parsed_space
    for cell, losses in together.items():
        assert len(losses) == space.path_count(space.cell(CellRef.parse(cell)))
        assert all(0 < loss < 10 for loss in losses)
        assert len(set(losses)) == len(losses)


def test_distillation_brings_the_cells_closer_to_the_teacher(
    spec: ResolvedSpec, taught: Path, together: dict[str, list[float]], tmp_path: Path
) -> None:
    """Three times the steps give better ratings on images that were not trained on."""
    longer = tiny_spec(training={"epochs": 6})
    ratings = rated(longer, taught, tmp_path, [CELLS])
    assert all(min(ratings[cell]) < min(together[cell]) for cell in CELLS)


def test_fair_sampling_trains_every_op_once_in_a_window() -> None:
    space, ref = get_space("dna-mbconv"), CellRef(2, 3)
    for window in range(3):
        paths = [draw_path(space, ref, window * 6 + i, sampling="fair", seed=7) for i in range(6)]
        for layer in range(4):
            assert Counter(path[layer].name for path in paths) == {op.name: 1 for op in space.ops}
    assert len({draw_path(space, ref, i, sampling="fair", seed=7) for i in range(60)}) > 50


def test_uniform_sampling_depends_on_seed_cell_and_step_alone() -> None:
    space = get_space("dna-mbconv")
    torch.manual_seed(0)
    one = [draw_path(space, CellRef(2, 3), i, sampling="uniform", seed=1) for i in range(50)]
    torch.manual_seed(1)
    assert one == [draw_path(space, CellRef(2, 3), i, sampling="uniform", seed=1) for i in range(50)]
    assert one != [draw_path(space, CellRef(2, 3), i, sampling="uniform", seed=2) for i in range(50)]
    assert one != [draw_path(space, CellRef(3, 3), i, sampling="uniform", seed=1) for i in range(50)]
    drawn = Counter(
        path[0].name for i in range(600) for path in [draw_path(space, CellRef(2, 3), i, sampling="uniform", seed=3)]
    )
    assert len(drawn) == 6
    assert all(60 < count < 150 for count in drawn.values())
