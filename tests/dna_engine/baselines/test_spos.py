"""The shared network of SPOS computes what its networks compute, and learns."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dna_engine.baselines import spos
from dna_engine.blockwise.cell import CellSupernet
from dna_engine.events import Reporter
from dna_engine.images.info import DIGITS
from dna_engine.runtime.context import Context
from dna_engine.space import parse_space
from dna_engine.space.architecture import Architecture
from dna_engine.training import network, train
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import splits_of

SPACE = parse_space(
    {
        "ops": ["mb3_3x3", "mb6_3x3", "skip"],
        "blocks": [
            {"stride": 2, "cells": [{"depth": 1, "width": 16}, {"depth": 2, "width": 24}]},
            {"stride": 2, "cells": [{"depth": 2, "width": 16}, {"depth": 2, "width": 32}]},
        ],
        "stem_width": 8,
        "first_width": 8,
        "head_width": 32,
    }
)


class Unheard(Reporter):
    def emit(self, event: object) -> None:
        pass


@pytest.fixture
def shared() -> spos.SharedNetwork:
    torch.manual_seed(0)
    return spos.SharedNetwork(SPACE, 10)


@pytest.mark.parametrize("seed", range(6))
def test_a_path_has_the_shapes_and_the_output_of_the_network_as_built(shared: spos.SharedNetwork, seed: int) -> None:
    """The weights on a path, in order, are those of the built network; with them both give the same logits."""
    choices = spos.draw(SPACE, seed)
    built = network.build(Architecture.from_choices(SPACE, choices, input_size=16, num_classes=10)).train()
    images = torch.randn(8, 3, 16, 16)
    shared.zero_grad()
    logits = shared(images, choices)
    logits.sum().backward()
    used = [p for p in path_parameters(shared, choices) if p.grad is not None]
    with torch.no_grad():
        for target, source in zip(built.parameters(), used, strict=True):
            target.copy_(source)
    torch.testing.assert_close(built(images), logits)


def cell_of(shared: spos.SharedNetwork, name: str) -> CellSupernet:
    cell = shared.cells[name]
    assert isinstance(cell, CellSupernet)
    return cell


def path_parameters(shared: spos.SharedNetwork, choices: spos.Choices) -> list[torch.nn.Parameter]:
    parameters, width = [], SPACE.first_width
    for block, (cell, ops) in enumerate(choices, start=1):
        part = cell_of(shared, f"b{block}c{cell}-{width}")
        parameters += list(part.enter.parameters())
        for layer, op in zip(part.layers, ops, strict=True):
            parameters += list(layer.get_submodule(op.name).parameters())
        width = SPACE.blocks[block - 1].cells[cell - 1].width
    tail = (shared.heads[str(width)], shared.norm, shared.classifier)
    return parameters + [parameter for module in tail for parameter in module.parameters()]


def test_layers_behind_the_first_are_shared_by_all_arriving_widths(shared: spos.SharedNetwork) -> None:
    one, other = cell_of(shared, "b2c1-16"), cell_of(shared, "b2c1-24")
    assert one.layers[1] is other.layers[1]
    assert one.layers[0] is not other.layers[0]


def test_training_draws_many_paths_and_evaluation_always_the_same(shared: spos.SharedNetwork) -> None:
    drawn = []
    wrapped = spos.RandomPath(shared)
    shared.register_forward_pre_hook(lambda module, inputs: drawn.append(str(inputs[1])))
    images = torch.randn(4, 3, 16, 16)
    for _ in range(8):
        wrapped.train()(images)
    assert len(set(drawn)) > 4
    drawn.clear()
    for _ in range(2):
        wrapped.eval()(images)
    assert len(set(drawn)) == 1


def test_it_learns_and_rates_below_chance(shared: spos.SharedNetwork, tmp_path: Path) -> None:
    device = torch.device("cpu")
    splits = splits_of(DIGITS, input_size=16, rating_images=128, seed=0, augment=False, device=device)
    context = Context(tmp_path, device, Unheard())
    recipe = Recipe(epochs=2, batch_size=64, label_smoothing=0.0, learning_rate=0.01, warmup_epochs=0.2)
    drawn = [
        Architecture.from_choices(SPACE, spos.draw(SPACE, seed), input_size=16, num_classes=10) for seed in range(4)
    ]
    before = spos.rate(shared, drawn, splits.rate, batch_size=64)
    train.fit(spos.RandomPath(shared), splits, recipe, seed=0, context=context, checkpoint=tmp_path / "c", part="spos")
    after = spos.rate(shared, drawn, splits.rate, batch_size=64)
    assert all(late < early for early, late in zip(before, after, strict=True))
    assert min(after) < 2.0 < 2.2 < min(before)  # ln 10 = 2.3 is chance.
    assert len(set(after)) == len(after)


def test_a_draw_depends_on_its_seed_alone() -> None:
    assert spos.draw(SPACE, 3) == spos.draw(SPACE, 3)
    assert len({str(spos.draw(SPACE, seed)) for seed in range(20)}) > 10
