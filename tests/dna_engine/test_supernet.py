"""The rated layers are the built layers: same modules, same weights, same numbers."""

from __future__ import annotations

import torch

from dna_engine.architecture import Architecture
from dna_engine.network import build
from dna_engine.space import CellRef, get_space
from dna_engine.supernet import CellSupernet


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
    stage = network.blocks[2]
    for layer, op in enumerate(path):
        loaded = stage[layer].load_state_dict(net.layers[layer][op.name].state_dict(), strict=False)
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
