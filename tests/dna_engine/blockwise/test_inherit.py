"""Networks that begin with the weights of their distilled blocks: exactly those, wherever the space builds what it rates."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dna_engine.blockwise.cell import CellSupernet, StackNorm
from dna_engine.blockwise.fold import adaptors, fold, names_of
from dna_engine.blockwise.inherit import Part, inherit, recalibrate, stitched
from dna_engine.space import OPS, CellRef, Op, Space, get_space
from dna_engine.space.architecture import Architecture
from dna_engine.training.network import build

#: Channels of a teacher's maps at its boundaries, the image first.
CHANNELS = (3, 20, 24, 36, 40, 52, 60)


Choices = list[tuple[int, tuple[Op, ...]]]


def drawn(space: Space, rng: random.Random) -> Choices:
    """A network of the space."""
    choices = []
    for block in space.blocks:
        cell = rng.randrange(len(block.cells)) + 1
        choices.append(
            (cell, space.path(block.cells[cell - 1], rng.randrange(space.path_count(block.cells[cell - 1]))))
        )
    return choices


def distilled(space: Space, choices: Choices) -> tuple[Architecture, list[Part]]:
    """The network and its blocks, as distillation may leave them: weights, norms and adaptors at random."""
    parts = []
    for number, (cell, path) in enumerate(choices, start=1):
        net = CellSupernet(space, CellRef(number, cell), CHANNELS[number - 1], CHANNELS[number], width="adaptors")
        for module in net.modules():
            if isinstance(module, StackNorm):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.3)
        nn.init.normal_(net.get_parameter("leave.bias"))
        parts.append(Part(net, path))
    return Architecture.from_choices(space, choices, input_size=64, num_classes=10), parts


def every_cell(space: Space) -> Iterator[tuple[Architecture, list[Part]]]:
    """Networks in which every cell occurs, each behind each that may come before it."""
    rng, seen = random.Random(space.name), set[tuple[int, int, int]]()
    counts = [len(block.cells) for block in space.blocks]
    pairs_in_all = sum(before * cells for before, cells in pairwise(counts))
    while len(seen) < pairs_in_all:
        few = replace(space, ops=tuple(rng.sample(space.ops, 2)))  # Cells are built with all ops that their space has.
        choices = drawn(few, rng)
        pairs = {(number, *pair) for number, pair in enumerate(pairwise(cell for cell, _ in choices))}
        if not pairs <= seen:
            seen |= pairs
            yield distilled(few, choices)


def beginning_with(space: Space, op: str, rng: random.Random) -> Choices:
    """A network of the space, each block of which begins with that op."""
    return [(cell, (OPS[op], *path[1:])) for cell, path in drawn(space, rng)]


@pytest.mark.parametrize("name", ["dna-mbconv", "dna-mbconv-single", "mbconv-small"])
def test_a_network_gives_the_maps_of_its_blocks_one_behind_the_other(name: str) -> None:
    torch.manual_seed(0)
    images = torch.randn(4, 3, 64, 64)
    for network, parts in every_cell(replace(get_space(name), first_layer="nominal")):
        errors = inherit(build(network), parts, images)
        assert max(errors) < 1e-5


@pytest.mark.parametrize(("name", "op"), [("fused-small", "mb3_3x3"), ("mobilenetv4", "ib4_3x3")])
def test_whatever_begins_with_an_expansion_of_1x1_takes_the_adaptors_in_exactly(name: str, op: str) -> None:
    torch.manual_seed(0)
    space = replace(get_space(name), first_layer="nominal")
    network, parts = distilled(space, beginning_with(space, op, random.Random(4)))
    assert max(inherit(build(network), parts, torch.randn(4, 3, 64, 64))) < 1e-5


@pytest.mark.parametrize("op", ["conv_3x3", "fused4_3x3"])
def test_a_kxk_convolution_takes_the_adaptors_in_exactly_but_for_the_borders_of_the_map(op: str) -> None:
    torch.manual_seed(0)
    space = replace(get_space("fused-small"), first_layer="nominal")
    network, parts = distilled(space, beginning_with(space, op, random.Random(5)))
    images = torch.randn(4, 3, 64, 64)
    first, second = parts[0].cell, parts[1].cell
    arriving = stitched(parts, images)[0]
    between = adaptors(first, second, arriving)
    built, rated = build(network).blocks[2][0], second.layers[0].get_submodule(op)
    weight = fold(OPS[op], rated, built, between, arriving)[f"{names_of(OPS[op]).mix}.weight"]
    maps = F.conv2d(arriving, weight, stride=2)
    wanted = F.conv2d(between.entered, rated.get_parameter(f"{names_of(OPS[op]).mix}.weight"), stride=2)
    constant = (wanted - maps).mean((0, 2, 3), keepdim=True)  # The norm behind takes it away.
    torch.testing.assert_close(maps + constant, wanted, rtol=1e-4, atol=1e-4)
    errors = inherit(build(network), parts, images)
    assert errors[0] < 1e-5 < errors[1] < 0.3


@pytest.mark.parametrize(
    ("name", "op", "near"),
    [
        ("mobilenetv4", "extradw4_3x3_5x5", 0.25),
        ("mobilenetv4", "convnext4_5x5", 0.25),
        ("fused-small", "separable_3x3", 0.8),
    ],
)
def test_a_depthwise_convolution_in_front_takes_the_adaptors_in_nearly_where_its_kernels_are_alike(
    name: str, op: str, near: float
) -> None:
    """One kernel for all nominal channels is one for all that arrive, too: exact but for the borders, unless an activation is between."""
    torch.manual_seed(0)
    space = replace(get_space(name), first_layer="nominal")
    network, parts = distilled(space, beginning_with(space, op, random.Random(6)))
    images = torch.randn(8, 3, 64, 64)
    apart = inherit(build(network), parts, images)
    assert apart[0] < 1e-5
    assert near < apart[1] < 1.1
    start = parts[1].cell.layers[0].get_submodule(op).get_parameter(f"{names_of(OPS[op]).start}.weight")
    with torch.no_grad():
        start.copy_(start[:1].expand_as(start))
    alike = inherit(build(network), parts, images)
    assert 1e-5 < alike[1] < near


def test_where_less_is_built_than_was_rated_the_error_is_told() -> None:
    """A block behind a narrower one than the nominal has fewer inner channels. Behind a wider one it has more, which wait."""
    torch.manual_seed(0)
    space = get_space("dna-mbconv")
    seen = set()
    for network, parts in every_cell(space):
        errors = inherit(build(network), parts, torch.randn(4, 3, 64, 64))
        exact = all(
            space.in_width(number) <= before.width for number, before in enumerate(network.blocks[:-1], start=2)
        )
        assert (max(errors) < 1e-5) == exact
        assert all(error < 1.5 for error in errors)
        seen.add(exact)
    assert seen == {True, False}


def test_recalibrated_norms_answer_one_image_as_they_answered_the_batch() -> None:
    torch.manual_seed(0)
    space = replace(get_space("mbconv-small"), first_layer="nominal")
    network, parts = distilled(space, drawn(space, random.Random(1)))
    images = torch.randn(16, 3, 64, 64)
    built = build(network)
    inherit(built, parts, images)
    recalibrate(built, [images])
    built.eval()
    with torch.no_grad():
        x = built.blocks(built.bn1(built.conv_stem(images[:4])))
    wanted = stitched(parts, images)[-1][:4]
    assert float((x - wanted).norm() / wanted.norm()) < 0.1  # Running variances are unbiased, those of a batch are not.
    assert all(module.momentum == 0.1 for module in built.modules() if isinstance(module, nn.BatchNorm2d))


def test_the_head_is_left_alone() -> None:
    torch.manual_seed(0)
    space = get_space("mbconv-small")
    network, parts = distilled(space, drawn(space, random.Random(2)))
    built = build(network)
    head = built.classifier.weight.clone()
    inherit(built, parts, torch.randn(2, 3, 64, 64))
    assert torch.equal(built.classifier.weight, head)


def test_branches_that_training_drops_are_not_dropped_while_weights_are_inherited() -> None:
    torch.manual_seed(0)
    space = replace(get_space("mbconv-small"), first_layer="nominal")
    network, parts = distilled(space, drawn(space, random.Random(3)))
    built = build(network, dropout=0.2, drop_path=0.5)
    images = torch.randn(8, 3, 64, 64)
    assert max(inherit(built, parts, images)) < 1e-5
    recalibrate(built, [images])
    once = {name: buffer.clone() for name, buffer in built.named_buffers()}
    recalibrate(built, [images])
    assert all(once[name].equal(buffer) for name, buffer in built.named_buffers())
