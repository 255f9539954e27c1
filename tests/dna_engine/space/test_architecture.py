"""One network as JSON, block strings and layers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dna_engine.errors import InvalidSpec, UnknownName
from dna_engine.space import SPACES, parse_space
from dna_engine.space.architecture import Architecture, published

SMALL = SPACES["mbconv-small"]
CHOICES = [(1, ["mb3_3x3", "mb6_5x5"]), (2, ["mb6_7x7", "mb3_3x3", "mb3_5x5"]), (1, ["mb6_3x3", "mb6_3x3"])]


@pytest.mark.parametrize("name", ["dna-a", "dna-b", "dna-c", "dna-d"])
def test_the_published_networks_lie_in_the_papers_space(name: str) -> None:
    network, space = published(name), SPACES["dna-mbconv"]
    for choice, block in zip(network.blocks, space.blocks, strict=True):
        cell = block.cells[choice.cell - 1]
        assert (choice.width, choice.stride) == (cell.width, block.stride)
        assert choice.ops in set(space.paths(cell))


def test_an_unknown_published_network_is_refused() -> None:
    with pytest.raises(UnknownName, match="dna-d"):
        published("dna-e")


def test_block_strings_of_a_network() -> None:
    network = Architecture.from_choices(SMALL, CHOICES, input_size=32, num_classes=10)
    assert network.arch_def() == [
        ["ds_r1_k3_s1_e1_c16_se0.25"],
        ["ir_r1_k3_s2_e3_c24_se0.25", "ir_r1_k5_s1_e6_c24_se0.25"],
        ["ir_r1_k7_s2_e6_c48_se0.25", "ir_r1_k3_s1_e3_c48_se0.25", "ir_r1_k5_s1_e3_c48_se0.25"],
        ["ir_r1_k3_s2_e6_c96_se0.25", "ir_r1_k3_s1_e6_c96_se0.25"],
    ]


def test_layers_carry_widths_strides_and_sizes() -> None:
    network = Architecture.from_choices(SMALL, CHOICES, input_size=32, num_classes=10)
    layers = [(layer.in_width, layer.out_width, layer.stride, layer.in_size) for layer in network.layers()]
    assert layers == [
        (16, 24, 2, 16),
        (24, 24, 1, 8),
        (24, 48, 2, 8),
        (48, 48, 1, 4),
        (48, 48, 1, 4),
        (48, 96, 2, 4),
        (96, 96, 1, 2),
    ]


def test_a_skip_builds_nothing_and_squeeze_excite_can_be_left_out() -> None:
    space = parse_space(
        {
            "ops": ["mb3_3x3", "skip", {"name": "plain", "kernel": 5, "expansion": 2, "se_ratio": 0.0}],
            "blocks": [{"stride": 2, "cells": [{"depth": 3, "width": 16}]}],
        }
    )
    network = Architecture.from_choices(space, [(1, ["plain", "skip", "mb3_3x3"])])
    assert network.arch_def()[1] == ["ir_r1_k5_s2_e2_c16", "ir_r1_k3_s1_e3_c16_se0.25"]
    assert len(network.layers()) == 2


def test_json_is_small_and_comes_back() -> None:
    network = published("dna-d")
    text = json.dumps(network.to_json())
    assert len(text) < 4000
    assert Architecture.from_json(json.loads(text)) == network
    assert network.with_classes(7).num_classes == 7


def test_json_keeps_ops_that_have_no_name_in_the_table() -> None:
    op = {"name": "odd", "kernel": 9, "expansion": 4, "se_ratio": 0.5, "skip": False}
    space = parse_space({"ops": [op], "blocks": [{"stride": 1, "cells": [{"depth": 2, "width": 16}]}]})
    network = Architecture.from_choices(space, [(1, ["odd", "odd"])], input_size=64, num_classes=3, in_chans=1)
    assert Architecture.from_json(json.loads(json.dumps(network.to_json()))) == network


MODERN = {
    "ops": [
        "fused2_3x3",
        {"name": "own", "kind": "universal", "start": 5, "kernel": 0, "end": 3, "se_ratio": 0.5},
        "skip",
    ],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 3, "width": 24}]},
        {"stride": 1, "cells": [{"depth": 1, "width": 16}]},
    ],
    "activation": "hard_swish",
}


@pytest.mark.parametrize("first", [{}, {"first_stage": None}, {"first_stage": "conv_5x5", "first_width": 24}])
def test_a_network_of_other_layers_says_so_and_is_read_back(first: dict[str, object]) -> None:
    space = parse_space(MODERN | first)
    network = Architecture.from_choices(space, [(1, ["own", "skip", "fused2_3x3"]), (1, ["own"])], num_classes=7)
    described = network.to_json()
    assert described["format"] == "dna-architecture/3"
    assert described["timm"]["act_layer"] == "hard_swish"
    assert len(described["timm"]["arch_def"]) == (2 if first == {"first_stage": None} else 3)
    assert Architecture.from_json(json.loads(json.dumps(described))) == network


@pytest.mark.parametrize(
    "change",
    [{"ops": ["fused2_3x3"]}, {"first_stage": None}, {"first_stage": "conv_3x3"}, {"activation": "relu"}],
)
def test_whatever_older_readers_do_not_know_takes_the_newest_format(change: dict[str, object]) -> None:
    blocks = [{"stride": 2, "cells": [{"depth": 1, "width": 16}]}]
    space = parse_space({"ops": ["mb3_3x3"], "blocks": blocks} | change)
    network = Architecture.from_choices(space, [(1, [space.ops[0]])])
    assert network.format == network.to_json()["format"] == "dna-architecture/3"
    assert Architecture.from_choices(replace(SMALL), CHOICES).format == "dna-architecture/1"


def test_an_activation_that_no_network_has_is_refused() -> None:
    described = published("dna-a").to_json()
    described["timm"]["act_layer"] = "sine"
    with pytest.raises(UnknownName, match="hard_swish"):
        Architecture.from_json(described)


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        (CHOICES[:2], "3 blocks, 2 were chosen"),
        ([(3, ["mb3_3x3"] * 2), *CHOICES[1:]], "Block 1 has cells 1 to 2"),
        ([(1, ["mb3_3x3"]), *CHOICES[1:]], "Block 1 has 2 layers"),
        ([(1, ["mb3_3x3", "mb4_3x3"]), *CHOICES[1:]], "op for layer 2 of block 1"),
    ],
)
def test_choices_outside_the_space_are_refused(choices: list[tuple[int, list[str]]], says: str) -> None:
    with pytest.raises(InvalidSpec, match=says):
        Architecture.from_choices(SMALL, choices)


@pytest.mark.parametrize("value", [{}, {"format": "dna-architecture/1"}, {"format": "dna-architecture/1", "timm": {}}])
def test_other_json_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(InvalidSpec, match="Not an architecture"):
        Architecture.from_json(value)


def test_a_network_whose_blocks_count_from_the_nominal_width_says_so_and_is_read_back() -> None:
    space = replace(SPACES["dna-mbconv"], first_layer="nominal")
    choices = [(3, ["mb6_3x3"] * 2)] + [(1, ["mb3_3x3"] * block.cells[0].depth) for block in space.blocks[1:]]
    network = Architecture.from_choices(space, choices)
    described = network.to_json()
    assert described["format"] == "dna-architecture/2"
    assert described["blocks"][1]["nominal"] == 24
    assert described["timm"]["arch_def"][2][0] == "ir_r1_k3_s2_e2.25_c40_se0.1875"
    assert Architecture.from_json(json.loads(json.dumps(described))) == network
    assert published("dna-a").to_json()["format"] == "dna-architecture/1"
