"""Cost formulas against torch's own counter on built networks, and ranges against every network of a space."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dna_engine.space import SPACES, Space, parse_space
from dna_engine.space.architecture import Architecture, published
from dna_engine.space.cost import Cost, architecture_cost, block_sizes, cost_range, in_widths, map_elements
from dna_engine.space.space import FirstLayer
from dna_engine.training.network import build, count
from tests.dna_engine.networks import random_network

PUBLISHED = {
    "dna-a": Cost(flops=335_141_728, params=4_243_318),
    "dna-b": Cost(flops=392_492_032, params=4_918_180),
    "dna-c": Cost(flops=450_138_976, params=5_273_896),
    "dna-d": Cost(flops=592_837_792, params=6_409_486),
}
#: Skips, no squeeze-excite, other kernels and expansions, odd sizes, one channel.
ODD_SPACE = parse_space(
    {
        "ops": [
            "mb3_5x5",
            "skip",
            {"name": "plain", "kernel": 3, "expansion": 1, "se_ratio": 0.0},
            {"name": "wide", "kernel": 9, "expansion": 5, "se_ratio": 0.37},
        ],
        "blocks": [
            {"stride": 2, "cells": [{"depth": 3, "width": 24}, {"depth": 2, "width": 40}]},
            {"stride": 1, "cells": [{"depth": 2, "width": 40}, {"depth": 1, "width": 8}]},
            {"stride": 2, "cells": [{"depth": 4, "width": 56}]},
        ],
        "stem_width": 24,
        "first_width": 8,
        "head_width": 72,
    }
)

#: Every kind of layer, with other kernels and expansions than the named ones, squeeze-excite in all that can have it.
MODERN_SPACE = parse_space(
    {
        "ops": [
            {"name": "fused", "kind": "fused", "kernel": 5, "expansion": 3, "se_ratio": 0.3},
            {"name": "all", "kind": "universal", "start": 5, "kernel": 3, "end": 7, "expansion": 2, "se_ratio": 0.5},
            {"name": "end", "kind": "universal", "kernel": 0, "end": 3, "expansion": 3},
            {"name": "separable", "kind": "separable", "kernel": 7, "se_ratio": 0.4},
            "conv_1x1",
            "ffn2",
            "skip",
        ],
        "blocks": ODD_SPACE.to_json()["blocks"],
        "stem_width": 24,
        "first_stage": {"name": "stage", "kind": "universal", "start": 3, "kernel": 0, "se_ratio": 0.2},
        "first_width": 16,
        "head_width": 72,
        "activation": "gelu",
    }
)


def counted(network: Architecture) -> Cost:
    """Counted on real modules and a real image: small images make it quick, and size enters the formulas alike."""
    model = build(network).eval()
    image = torch.zeros(1, network.in_chans, network.input_size, network.input_size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    return Cost(flops=counter.get_total_flops() // 2, params=sum(p.numel() for p in model.parameters()))


def moved(network: Architecture) -> int:
    """Elements of the maps that the convolutions of its layers give for one image, without those of squeeze-excite and of the first stage."""
    model, elements = build(network).eval(), 0

    def add(_: torch.nn.Module, __: object, given: torch.Tensor) -> None:
        nonlocal elements
        elements += given.numel() if given.shape[-1] > 1 else 0

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d) and name.startswith("blocks") and not name.startswith("blocks.0."):
            module.register_forward_hook(add)
    with torch.no_grad():
        model(torch.zeros(1, network.in_chans, network.input_size, network.input_size))
    return elements


@pytest.mark.parametrize("space", [ODD_SPACE, MODERN_SPACE], ids=["odd", "modern"])
def test_elements_of_maps_are_those_of_built_layers(space: Space) -> None:
    """At a size of which no map has one position, as the maps of squeeze-excite have."""
    for seed in range(3):
        network = replace(random_network(space, random.Random(seed)), input_size=96)
        assert sum(map(map_elements, network.layers())) == moved(network)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_cost_what_is_known(name: str) -> None:
    network = published(name)
    assert architecture_cost(network) == PUBLISHED[name]
    assert count(network) == PUBLISHED[name]


#: Random networks of a space; of the paper's, which are deep, the published ones are counted beside them, and all presets share these formulas.
RANDOM = {"dna-mbconv": 12, "dna-mbconv-single": 12, "mbconv-small": 24}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_formulas_equal_the_counter_on_random_networks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for initialise in (  # The values of the weights cost nothing, but filling them in takes most of the time.
        "timm.models.efficientnet.efficientnet_init_weights",
        "torch.nn.modules.conv._ConvNd.reset_parameters",
        "torch.nn.Linear.reset_parameters",
    ):
        monkeypatch.setattr(initialise, lambda _: None)
    rng = random.Random(name)
    for number in range(RANDOM.get(name, 60)):
        space = replace(SPACES[name], first_layer="nominal") if number % 2 else SPACES[name]
        network = random_network(space, rng, input_size=32, num_classes=10)
        assert architecture_cost(network) == counted(network)


@pytest.mark.parametrize("odd", [ODD_SPACE, MODERN_SPACE, replace(MODERN_SPACE, first_stage=None, first_width=24)])
@pytest.mark.parametrize("first_layer", ["previous", "nominal"])
def test_formulas_equal_the_counter_on_odd_spaces_and_sizes(odd: Space, first_layer: FirstLayer) -> None:
    rng, space = random.Random(0), replace(odd, first_layer=first_layer)
    for size in (17, 33, 50, 75, 96):
        network = random_network(space, rng, input_size=size, num_classes=3, in_chans=1)
        assert architecture_cost(network) == counted(network) == count(network)


def networks(space: Space, **kinds: int) -> list[Architecture]:
    per_block = [
        [(c, path) for c, cell in enumerate(block.cells, 1) for path in space.paths(cell)] for block in space.blocks
    ]
    return [Architecture.from_choices(space, choices, **kinds) for choices in itertools.product(*per_block)]


@pytest.mark.parametrize("first_layer", ["previous", "nominal"])
def test_the_range_is_that_of_every_network(first_layer: FirstLayer) -> None:
    space = parse_space(
        {
            "first_layer": first_layer,
            "ops": ["mb6_3x3", "mb3_7x7", "skip"],
            "blocks": [
                {"stride": 2, "cells": [{"depth": 1, "width": 40}, {"depth": 3, "width": 16}]},
                {"stride": 2, "cells": [{"depth": 2, "width": 24}, {"depth": 1, "width": 48}]},
            ],
        }
    )
    costs = [architecture_cost(network) for network in networks(space, input_size=40, num_classes=5)]
    assert cost_range(space, input_size=40, num_classes=5) == {
        "flops": (min(c.flops for c in costs), max(c.flops for c in costs)),
        "params": (min(c.params for c in costs), max(c.params for c in costs)),
    }


def test_sizes_and_widths_between_blocks() -> None:
    space = SPACES["dna-mbconv"]
    assert block_sizes(space, 224) == [112, 56, 28, 14, 14, 7, 7]
    assert in_widths(space, 1) == [16]
    assert in_widths(space, 2) == [24, 32]
