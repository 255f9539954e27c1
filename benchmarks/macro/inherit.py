"""A network that begins with the weights of its distilled blocks, and what it comes to after a short training."""

from __future__ import annotations

import itertools
from typing import cast

import torch
from torch import Tensor, nn

from benchmarks.macro.space import DEPTHS, Network, first_convolution, split
from benchmarks.macro.supernets import Cell, DistilledBlocks


@torch.no_grad()
def inherit(blocks: DistilledBlocks, network: str, images: Tensor, num_classes: int) -> Network:
    """The network whose maps are those of its blocks, one fed by the other; its head is new.

    The exit of a block, the entry of the next and its norm by its statistics on ``images`` go into the convolution of single
    pixels that the next block begins with. What they add to each channel its norm takes away again.
    """
    built = Network(network, num_classes).to(images)
    layers, x, before = iter(built.layers), images, None
    for cell, path, depth in zip(blocks, split(network), DEPTHS, strict=True):
        own = list(itertools.islice(layers, depth))
        for target, source in zip(own, cell.ops(path), strict=True):
            target.load_state_dict(source.state_dict(), strict=False)  # The source has no running statistics.
        if before is None:
            built.stem.load_state_dict(cell.enter.state_dict(), strict=False)
        else:
            convolution = first_convolution(own[0])
            convolution.weight.copy_(_folded(convolution, _passage(before, cell, x)))
        x, before = cell(x, path), cell
    return built.to(memory_format=torch.channels_last)


def _passage(before: Cell, cell: Cell, maps: Tensor) -> Tensor:
    """What lies between two blocks as a matrix, but for what it adds; ``maps`` come out of the exit before."""
    adaptor, norm = cast(nn.Sequential, cell.enter)
    assert isinstance(norm, nn.BatchNorm2d)
    scale = norm.weight * torch.rsqrt(adaptor(maps).var((0, 2, 3), correction=0) + norm.eps)
    return scale[:, None] * _matrix(adaptor) @ _matrix(before.leave)


def _matrix(convolution: nn.Module) -> Tensor:
    return cast(Tensor, convolution.weight)[:, :, 0, 0]


def _folded(convolution: nn.Conv2d, passage: Tensor) -> Tensor:
    return (_matrix(convolution) @ passage)[:, :, None, None]
