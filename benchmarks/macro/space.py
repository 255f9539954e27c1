"""The space of NAS-Bench-Macro (Su et al., CVPR 2021): 6,561 networks of eight layers, each of one of three ops.

A network is a text of eight digits, one a layer; so three blocks of 9, 27 and 27 paths hold the whole space. Images are
32 by 32. Flops are multiply-adds of convolutions and linear layers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from dna_engine.space.cost import Cost

SIDE = 32
STEM_WIDTH, HEAD_WIDTH = 32, 1280
WIDTHS = (64, 128, 256)
DEPTHS = (2, 3, 3)
OPS = "012"
#: Of the ops that are inverted bottlenecks.
KERNELS = {"1": 3, "2": 5}
EXPANSIONS = {"1": 3, "2": 6}

#: Makes the norm of so many channels.
Norm = Callable[[int], nn.Module]


@dataclass(frozen=True)
class Layer:
    """Where an op stands: channels before and after, stride, pixels along a side before."""

    before: int
    after: int
    stride: int
    side: int

    @property
    def same(self) -> bool:
        """Whether maps come out in the shape in which they went in."""
        return self.stride == 1 and self.before == self.after


def block_layers(block: int) -> list[Layer]:
    """The layers of a block (from 0); its first halves the resolution."""
    before, width, side = (STEM_WIDTH, *WIDTHS)[block], WIDTHS[block], SIDE >> block
    return [Layer(before, width, 2, side), *[Layer(width, width, 1, side // 2)] * (DEPTHS[block] - 1)]


LAYERS = [layer for block in range(len(WIDTHS)) for layer in block_layers(block)]


def networks() -> list[str]:
    """All of them, in ascending order."""
    return ["".join(digits) for digits in itertools.product(OPS, repeat=len(LAYERS))]


def split(network: str) -> list[str]:
    """Its path in each block."""
    ends = list(itertools.accumulate(DEPTHS))
    return [network[end - depth : end] for end, depth in zip(ends, DEPTHS, strict=True)]


# --- costs, by formula


def cost(network: str, num_classes: int = 10) -> Cost:
    """What is counted on the built network."""
    ops = [_op_cost(layer, op) for layer, op in zip(LAYERS, network, strict=True)]
    head = _conv_cost(WIDTHS[-1], HEAD_WIDTH, LAYERS[-1].side)
    linear = Cost(flops=HEAD_WIDTH * num_classes, params=(HEAD_WIDTH + 1) * num_classes)
    parts = [_conv_cost(3 * 9, STEM_WIDTH, SIDE), *ops, head, linear]
    return Cost(flops=sum(part.flops for part in parts), params=sum(part.params for part in parts))


def _conv_cost(inputs: int, channels: int, side: int) -> Cost:
    """A convolution of so many inputs for each of its outputs, and its norm."""
    return Cost(flops=inputs * channels * side * side, params=(inputs + 2) * channels)


def _op_cost(layer: Layer, op: str) -> Cost:
    after = layer.side // layer.stride
    if op == "0":
        return Cost(flops=0, params=0) if layer.same else _conv_cost(layer.before, layer.after, after)
    inner = EXPANSIONS[op] * layer.before
    expand, depthwise = _conv_cost(layer.before, inner, layer.side), _conv_cost(KERNELS[op] ** 2, inner, after)
    project = _conv_cost(inner, layer.after, after)
    return Cost(
        flops=expand.flops + depthwise.flops + project.flops,
        params=expand.params + depthwise.params + project.params,
    )


# --- modules


def conv(before: int, after: int, norm: Norm, *, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias, and its norm."""
    convolution = nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, norm(after))


class Bottleneck(nn.Module):
    """MobileNetV2's inverted residual: expand, depthwise, project."""

    def __init__(self, layer: Layer, op: str, norm: Norm) -> None:
        super().__init__()
        inner, kernel = EXPANSIONS[op] * layer.before, KERNELS[op]
        self.residual = layer.same
        self.expand = conv(layer.before, inner, norm)
        self.depthwise = conv(inner, inner, norm, kernel=kernel, stride=layer.stride, groups=inner)
        self.project = conv(inner, layer.after, norm)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.project(self.act(self.depthwise(self.act(self.expand(x)))))
        return output + x if self.residual else output


def make_op(layer: Layer, op: str, norm: Norm) -> nn.Module:
    """One of the three; identity is a convolution of single pixels where it cannot be one."""
    if op != "0":
        return Bottleneck(layer, op, norm)
    return nn.Identity() if layer.same else conv(layer.before, layer.after, norm, stride=layer.stride)


def first_convolution(op: nn.Module) -> nn.Conv2d:
    """The 1x1 convolution by which an op that changes shape begins."""
    return cast(nn.Conv2d, (op.expand if isinstance(op, Bottleneck) else cast(nn.Sequential, op))[0])


def make_stem(norm: Norm) -> nn.Sequential:
    return nn.Sequential(*conv(3, STEM_WIDTH, norm, kernel=3), nn.ReLU(inplace=True))


def make_head(norm: Norm, num_classes: int) -> nn.Sequential:
    return nn.Sequential(
        *conv(WIDTHS[-1], HEAD_WIDTH, norm),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(HEAD_WIDTH, num_classes),
    )


class Network(nn.Module):
    """A network as it is trained: norms keep running statistics."""

    def __init__(self, network: str, num_classes: int) -> None:
        super().__init__()
        norm = nn.BatchNorm2d
        self.stem = make_stem(norm)
        self.layers = nn.ModuleList(make_op(layer, op, norm) for layer, op in zip(LAYERS, network, strict=True))
        self.head = make_head(norm, num_classes)

    def features(self, images: Tensor) -> Tensor:
        """Maps (B, 256, 4, 4) of the last layer."""
        x = self.stem(images)
        for layer in self.layers:
            x = layer(x)
        return cast(Tensor, x)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, 3, 32, 32)."""
        return cast(Tensor, self.head(self.features(images)))
