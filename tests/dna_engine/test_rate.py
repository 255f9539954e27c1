"""Shared prefixes rate every path as it would be rated alone, with the fewest op evaluations."""

from __future__ import annotations

import pytest
import torch

from dna_engine.rate import Rater
from dna_engine.space import CellRef, Space, parse_space
from dna_engine.supernet import CellSupernet


def space_of(depth: int) -> Space:
    cells = {"cells": [{"depth": depth, "width": 8}]}
    return parse_space({"blocks": [{"stride": 2, **cells}, {"stride": 2, **cells}], "stem_width": 8, "first_width": 8})


def cell_of(space: Space, block: int) -> tuple[CellRef, CellSupernet]:
    torch.manual_seed(3)
    ref = CellRef(block, 1)
    return ref, CellSupernet(space, ref, 12 if block > 1 else 3, 20, width="adaptors").train()


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("memory", [1, 1 << 30])
def test_equals_path_by_path(block: int, memory: int) -> None:
    """Every path of a three-layer cell, to 1e-5, in stacks of one and in stacks as large as they come."""
    space = space_of(3)
    ref, net = cell_of(space, block)
    x = torch.randn(6, 3 if block == 1 else 12, 16, 16)
    with torch.no_grad():
        side = net(x, space.path(space.cell(ref), 0)).shape[-1]
        target = torch.randn(6, 20, side, side)
        alone = [(net(x, path) - target).abs().sum().double() for path in space.paths(space.cell(ref))]
    shared = Rater(space, ref, net, memory=memory).distances(x, target)
    assert len(shared) == 216
    torch.testing.assert_close(shared, torch.stack(alone), rtol=1e-5, atol=0)


@pytest.mark.parametrize(("depth", "evaluations"), [(3, 258), (4, 1554)])
def test_evaluates_the_fewest_ops(depth: int, evaluations: int) -> None:
    """6 + 36 + 216 + 1,296 for four layers."""
    space = space_of(depth)
    ref, net = cell_of(space, 2)
    rater = Rater(space, ref, net, memory=1 << 24)
    rater.distances(torch.randn(2, 12, 4, 4), torch.randn(2, 20, 2, 2))
    assert rater.evaluations == evaluations
    assert evaluations == sum(6**layer for layer in range(1, depth + 1))


def test_leaves_the_running_statistics_alone() -> None:
    """Rating normalises by each path's own batch and keeps nothing of it."""
    space = space_of(2)
    ref, net = cell_of(space, 2)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    Rater(space, ref, net, memory=1 << 24).distances(torch.randn(4, 12, 4, 4), torch.randn(4, 20, 2, 2))
    after = net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
