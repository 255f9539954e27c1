"""The rated layers are the built layers: same modules, same weights, same numbers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dna_engine.blockwise.cell import CellSupernet, Stack, StackNorm, make_cells
from dna_engine.errors import TeacherError
from dna_engine.space import CellRef, get_space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import in_widths, layer_at, layer_cost, stem_cost
from dna_engine.training.network import build
from tests.dna_engine.runs import tiny_spec

#: Of resnet10t at 16 pixels: the image and three maps.
SHAPES = tuple(torch.Size(shape) for shape in [(3, 16, 16), (64, 4, 4), (128, 2, 2), (256, 1, 1)])


def test_a_path_is_the_block_that_timm_builds() -> None:
    """A path's weights, moved into the timm network of that architecture, give the same map; only adaptors stay out."""
    space = get_space("mbconv-small")
    ref = CellRef(2, 2)
    cell = space.cell(ref)
    path = space.path(cell, 137)
    torch.manual_seed(0)
    net = CellSupernet(space, ref, 64, 128, width="adaptors").train()
    choices = [(1, space.path(space.blocks[0].cells[0], 5)), (2, path), (1, space.path(space.blocks[2].cells[0], 7))]
    network = build(Architecture.from_choices(space, choices, input_size=32, num_classes=10)).train()
    stage = network.get_submodule("blocks.2")
    for layer, op in enumerate(path):
        loaded = stage.get_submodule(f"{layer}").load_state_dict(
            net.layers.get_submodule(f"{layer}.{op.name}").state_dict(), strict=False
        )
        assert not loaded.unexpected_keys
        # Running statistics, which a rated layer does not keep.
        assert all("running_" in key or "num_batches" in key for key in loaded.missing_keys)
    maps = torch.randn(4, 64, 8, 8)
    with torch.no_grad():
        rated = net(maps, path)
        built = net.leave(stage(net.enter(maps)))
    torch.testing.assert_close(rated, built, rtol=1e-5, atol=1e-6)


def test_the_teacher_width_option_widens_the_ends() -> None:
    space = get_space("mbconv-small")
    net = CellSupernet(space, CellRef(2, 1), 64, 128, width="teacher").train()
    path = space.path(space.cell(CellRef(2, 1)), 0)
    assert net(torch.randn(2, 64, 8, 8), path).shape == (2, 128, 4, 4)
    assert not list(net.enter.parameters())
    assert not list(net.leave.parameters())


def test_its_parts_cost_what_the_network_is_said_to_cost() -> None:
    space = get_space("mbconv-small")
    first, second = (CellSupernet(space, CellRef(block, 1), 64, 128, width="adaptors") for block in (1, 2))
    assert in_widths(space, 2) == [24, 32]
    stem = sum(parameter.numel() for parameter in first.enter.parameters())
    assert stem == stem_cost(space, in_chans=3, input_size=32).params
    for op in space.ops:
        layer = layer_at(space, 2, space.cell(CellRef(2)), 0, op, in_width=space.in_width(2), in_size=8)
        assert (
            sum(p.numel() for p in second.layers.get_submodule(f"0.{op.name}").parameters()) == layer_cost(layer).params
        )


def test_a_pass_draws_nothing_and_trains_its_path_alone() -> None:
    space, ref = get_space("mbconv-small"), CellRef(2, 2)
    net = CellSupernet(space, ref, 20, 36, width="adaptors")
    path, x = space.path(space.cell(ref), 100), torch.randn(2, 20, 8, 8)
    before = torch.random.get_rng_state()
    assert torch.equal(net(x, path), net(x, path))
    assert torch.equal(torch.random.get_rng_state(), before)
    net(x, path).square().mean().backward()
    for layer, op in enumerate(path):
        for name, candidate in net.layers[layer].named_children():
            assert all((p.grad is not None) == (name == op.name) for p in candidate.parameters())


def test_starts_from_the_teacher_s_mean() -> None:
    space = get_space("mbconv-small")
    net = CellSupernet(space, CellRef(2, 1), 20, 36, width="adaptors")
    mean = torch.randn(36) + torch.arange(36.0)
    net.start_from_mean(mean)
    output = net(torch.randn(2, 20, 8, 8), space.path(space.cell(CellRef(2, 1)), 9))
    torch.testing.assert_close(output, mean.view(1, 36, 1, 1).expand(2, 36, 4, 4))


@pytest.mark.parametrize("apply_act", [True, False])
def test_a_stack_is_normalised_path_by_path(apply_act: bool) -> None:
    norm = StackNorm(Stack(3), 6, apply_act=apply_act)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    reference = nn.BatchNorm2d(6).train()
    reference.load_state_dict(norm.state_dict(), strict=False)
    paths = [torch.randn(4, 6, 5, 5) * scale + scale for scale in (1, 3, 10)]
    act = nn.SiLU() if apply_act else nn.Identity()
    expected = torch.cat([act(reference(path)) for path in paths])
    torch.testing.assert_close(norm(torch.cat(paths)), expected)
    at_once = norm.act(norm._normalized_together(torch.cat(paths)))  # what a GPU runs
    torch.testing.assert_close(at_once, expected, rtol=1e-4, atol=1e-5)


def test_weights_depend_on_the_seed_and_the_cell_alone() -> None:
    spec, ref = tiny_spec(), CellRef(2, 1)
    together = make_cells(spec, spec.parsed_space.cells, SHAPES)[ref].state_dict()
    torch.manual_seed(99)
    alone = make_cells(spec, [ref], SHAPES)[ref].state_dict()
    other = make_cells(tiny_spec(seed=1), [ref], SHAPES)[ref].state_dict()
    assert all(torch.equal(alone[name], together[name]) for name in together)
    assert not torch.equal(alone["leave.weight"], other["leave.weight"])


def test_maps_of_another_resolution_are_refused() -> None:
    wrong = (*SHAPES[:2], torch.Size((128, 4, 4)), SHAPES[3])
    with pytest.raises(TeacherError, match="Block 2 ends at 2x2 pixels, but resnet10t gives 4x4 after layer2"):
        make_cells(tiny_spec(), [CellRef(1, 1)], wrong)
