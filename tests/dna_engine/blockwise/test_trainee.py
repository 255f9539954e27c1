"""A cell in training: the paths that are drawn for it."""

from __future__ import annotations

from collections import Counter

import torch

from dna_engine.blockwise.trainee import draw_path
from dna_engine.space import CellRef, get_space, parse_space


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


def test_fair_sampling_where_layers_offer_different_ops() -> None:
    space = parse_space(get_space("mbconv-small").to_json() | {"ops": ["mb3_3x3", "mb6_3x3", "skip"]})
    paths = [draw_path(space, CellRef(2, 2), step, sampling="fair", seed=0) for step in range(6)]
    counts = [Counter(op.name for op in layer) for layer in zip(*paths, strict=True)]
    assert counts[0] == {"mb3_3x3": 3, "mb6_3x3": 3}
    assert counts[1] == counts[2] == {"mb3_3x3": 2, "mb6_3x3": 2, "skip": 2}
