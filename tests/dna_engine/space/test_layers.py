"""Networks layer by layer: what the layers cost is what the network costs, and what they say is what timm is told."""

from __future__ import annotations

import itertools
import random

import pytest
import torch
from torch import nn

from dna_engine.space import SPACES, Space
from dna_engine.space.architecture import PUBLISHED, Architecture, published
from dna_engine.space.cost import Cost, architecture_cost
from dna_engine.space.layers import layers_of
from dna_engine.training.network import build
from tests.dna_engine.networks import random_network
from tests.dna_engine.space.test_cost import MODERN_SPACE, ODD_SPACE


def check(network: Architecture) -> None:
    """That its layers cost together what it costs, and follow one on the other."""
    rows = layers_of(network)
    summed = Cost(flops=sum(row.flops for row in rows), params=sum(row.params for row in rows))
    assert summed == architecture_cost(network)
    assert [row.number for row in rows] == [*range(1, len(rows) + 1)]
    assert (rows[0].in_channels, rows[0].input_size) == (network.in_chans, network.input_size)
    assert (rows[-1].out_channels, rows[-1].output_size) == (network.num_classes, 1)
    for before, after in itertools.pairwise(rows):
        assert (before.out_channels, before.output_size) == (after.in_channels, after.input_size)
    chosen = [(number, block.cell, op.name) for number, block in enumerate(network.blocks, 1) for op in block.ops]
    assert [(row.block, row.cell, row.op) for row in rows if row.stage == "block"] == chosen


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("input_size", [224, 161])
def test_layers_of_published_networks_add_up(name: str, input_size: int) -> None:
    check(published(name, input_size=input_size))


@pytest.mark.parametrize("space", [*SPACES.values(), ODD_SPACE, MODERN_SPACE], ids=lambda space: space.name)
def test_layers_of_random_networks_add_up(space: Space) -> None:
    rng = random.Random(space.name)
    for _ in range(50):
        check(random_network(space, rng, input_size=rng.randrange(32, 257), num_classes=rng.randrange(2, 1001)))


@pytest.mark.parametrize("space", [*SPACES.values(), ODD_SPACE, MODERN_SPACE], ids=lambda space: space.name)
def test_layers_have_the_shapes_kernels_and_residuals_that_timm_builds(space: Space) -> None:
    network = random_network(space, random.Random(7), input_size=64, num_classes=10)
    built = build(network).eval()
    seen: list[tuple[int, int, int, int, bool]] = []

    def look(module: nn.Module, given: tuple[torch.Tensor], out: torch.Tensor) -> None:
        seen.append((*given[0].shape[1:3], *out.shape[1:3], bool(getattr(module, "has_skip", False))))

    for stage in built.blocks:
        for module in stage:
            module.register_forward_hook(look)
    with torch.no_grad():
        built(torch.zeros(1, 3, 64, 64))
    rows = [row for row in layers_of(network) if row.kind not in ("skip", "linear")][1:-1]
    assert [(row.in_channels, row.input_size, row.out_channels, row.output_size, row.skip) for row in rows] == seen
    kernels = [
        max(each.kernel_size[0] for each in module.modules() if isinstance(each, nn.Conv2d))
        for stage in built.blocks
        for module in stage
    ]
    assert [row.kernel for row in rows] == kernels


def test_a_layer_says_what_it_is_made_of() -> None:
    stem, stage, first, second, *_, head, classifier = layers_of(published("dna-a"))
    assert (stem.op, stem.description, stem.stride, stem.output_size) == ("conv", "3x3 to 32", 2, 112)
    assert stage.description == "depthwise 3x3, squeeze-excite 8, 1x1 to 16"
    assert (first.block, first.cell, first.layer, first.op) == (1, 2, 1, "mb3_5x5")
    assert first.description == "1x1 to 48, depthwise 5x5, squeeze-excite 4, 1x1 to 24"
    assert (first.kernel, first.expansion, first.squeeze_channels, first.skip) == (5, 3, 4, False)
    assert (second.layer, second.stride, second.skip) == (2, 1, True)
    assert (head.stage, head.description, classifier.description) == (
        "head",
        "1x1 to 1280",
        "mean over the map, linear to 1000",
    )


def test_the_identity_costs_nothing_and_is_told() -> None:
    cells = [(1, ["mb3_5x5", "skip", "skip"]), (2, ["wide"]), (1, ["plain", "skip", "wide", "skip"])]
    rows = [row for row in layers_of(Architecture.from_choices(ODD_SPACE, cells)) if row.kind == "skip"]
    assert [(row.block, row.layer) for row in rows] == [(1, 2), (1, 3), (3, 2), (3, 4)]
    for row in rows:
        assert (row.flops, row.params, row.skip, row.kernel, row.expansion) == (0, 0, True, None, None)
        assert row.input_size == row.output_size
        assert row.description == "nothing: what arrives leaves"
