"""What a network costs, by formula and to the unit. Torch-free.

``flops`` are multiply-adds of convolutions and linear layers at batch 1 (half of what ``torch.utils.flop_counter``
counts), ``params`` are trainable parameters. Batch norm, biases and pooling cost no flops here; the paper's own table
mixes conventions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dna_engine.space import Cell, Op, Space
from dna_engine.space.architecture import Architecture, first_stage
from dna_engine.space.kinds import Convolution
from dna_engine.space.layer import Layer


@dataclass(frozen=True)
class Cost:
    """Additive costs of a part of a network."""

    flops: int = 0
    params: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.flops + other.flops, self.params + other.params)


def out_size(size: int, stride: int) -> int:
    """Side of the output map of a convolution padded to keep its size at stride 1."""
    return -(-size // stride)


def _conv(size: int, kernel: int, in_width: int, out_width: int, *, groups: int = 1, bias: bool = False) -> Cost:
    """A convolution with output side ``size``."""
    weights = kernel * kernel * (in_width // groups) * out_width
    return Cost(flops=weights * size * size, params=weights + (out_width if bias else 0))


def _norm(width: int) -> Cost:
    return Cost(params=2 * width)


def conv_norm_cost(size: int, kernel: int, in_width: int, out_width: int) -> Cost:
    """A convolution of stem or head with output side ``size``, and the norm behind it."""
    return _conv(size, kernel, in_width, out_width) + _norm(out_width)


def _squeeze_excite(width: int, reduced: int) -> Cost:
    return _conv(1, 1, width, reduced, bias=True) + _conv(1, 1, reduced, width, bias=True)


@functools.lru_cache(maxsize=1 << 16)
def layer_cost(layer: Layer) -> Cost:
    """A layer as timm builds it: its convolutions, each with a norm, and squeeze-excite."""
    cost = Cost()
    if layer.op.skip:
        return cost
    for conv, size in _convolutions(layer):
        groups = conv.in_width if conv.depthwise else 1
        cost += _conv(size, conv.kernel, conv.in_width, conv.out_width, groups=groups) + _norm(conv.out_width)
    return cost + _squeeze_excite(layer.inner, layer.squeezed) if layer.squeezed else cost


@functools.lru_cache(maxsize=1 << 16)
def map_elements(layer: Layer) -> int:
    """Elements of the maps that its convolutions give, for one image: what norms and activations read and write."""
    return 0 if layer.op.skip else sum(conv.out_width * size * size for conv, size in _convolutions(layer))


def _convolutions(layer: Layer) -> Iterator[tuple[Convolution, int]]:
    """Each of a layer's, with the side of its output map."""
    size = layer.in_size
    for conv in layer.op.layer.convolutions(layer):
        size = out_size(size, conv.stride)
        yield conv, size


def stem_cost(ends: Space | Architecture, *, in_chans: int, input_size: int) -> Cost:
    """Stem convolution (3x3, stride 2) and the first stage behind it, where there is one."""
    size = out_size(input_size, 2)
    cost = conv_norm_cost(size, 3, in_chans, ends.stem_width)
    for layer in first_stage(ends, size):
        cost += layer_cost(layer)
    return cost


def head_cost(width: int, head_width: int, num_classes: int, size: int) -> Cost:
    """1x1 convolution, pooling and the classifier."""
    return conv_norm_cost(size, 1, width, head_width) + classifier_cost(head_width, num_classes)


def classifier_cost(head_width: int, num_classes: int) -> Cost:
    """The linear layer behind the pooling."""
    return Cost(flops=head_width * num_classes, params=head_width * num_classes + num_classes)


def architecture_cost(architecture: Architecture) -> Cost:
    """The whole network's cost."""
    a = architecture
    cost = stem_cost(a, in_chans=a.in_chans, input_size=a.input_size)
    size = out_size(a.input_size, 2)
    for block in a.blocks:
        size = out_size(size, block.stride)
    cost += head_cost(a.blocks[-1].width, a.head_width, a.num_classes, size)
    for layer in a.layers():
        cost += layer_cost(layer)
    return cost


def work_per_operation(architecture: Architecture, batch_size: int) -> float:
    """Multiply-adds of one convolution on a batch, on average: a layer has about three, the rest about as many."""
    return architecture_cost(architecture).flops * batch_size / (3 * len(architecture.layers()) + 3)


def block_sizes(space: Space, input_size: int) -> list[int]:
    """Side of each block's input map, and of the last block's output."""
    sizes = [out_size(input_size, 2)]
    for block in space.blocks:
        sizes.append(out_size(sizes[-1], block.stride))
    return sizes


def in_widths(space: Space, block: int) -> list[int]:
    """Widths that may arrive at a block (from 1), ascending."""
    return [space.first_width] if block == 1 else sorted({cell.width for cell in space.blocks[block - 2].cells})


def layer_at(space: Space, block: int, cell: Cell, index: int, op: Op, *, in_width: int, in_size: int) -> Layer:
    """Layer ``index`` (from 0) of a cell of a block (from 1); ``in_width`` and ``in_size`` are the block's."""
    stride = space.blocks[block - 1].stride
    if index == 0:
        return Layer(
            op=op,
            in_width=in_width,
            out_width=cell.width,
            stride=stride,
            in_size=in_size,
            nominal=space.nominal(block, in_width),
        )
    return Layer(op=op, in_width=cell.width, out_width=cell.width, stride=1, in_size=out_size(in_size, stride))


def cost_range(space: Space, *, input_size: int, num_classes: int, in_chans: int = 3) -> dict[str, tuple[int, int]]:
    """Smallest and largest value of each cost over all networks of the space, exact.

    Each cost on its own: the cheapest network in flops need not be the cheapest in params.
    """
    return {
        name: (
            _extreme(space, name, min, input_size, num_classes, in_chans),
            _extreme(space, name, max, input_size, num_classes, in_chans),
        )
        for name in ("flops", "params")
    }


def _extreme(
    space: Space, name: str, pick: Callable[[Iterable[int]], int], input_size: int, num_classes: int, in_chans: int
) -> int:
    """Dynamic programme over the width that leaves each block; ops of a layer are independent given the widths."""
    sizes = block_sizes(space, input_size)
    best = {space.first_width: int(getattr(stem_cost(space, in_chans=in_chans, input_size=input_size), name))}
    for number, (block, in_size) in enumerate(zip(space.blocks, sizes, strict=False), start=1):
        after: dict[int, int] = {}
        for cell in block.cells:
            for width, so_far in best.items():
                total = so_far
                for index, repeats in ((0, 1), (1, cell.depth - 1)):  # Layers after the first are alike.
                    layers = (
                        layer_at(space, number, cell, index, op, in_width=width, in_size=in_size)
                        for op in space.layer_ops(index)
                    )
                    total += repeats * pick(int(getattr(layer_cost(layer), name)) for layer in layers)
                after[cell.width] = pick((after.get(cell.width, total), total))
        best = after
    heads = {w: int(getattr(head_cost(w, space.head_width, num_classes, sizes[-1]), name)) for w in best}
    return pick(cost + heads[width] for width, cost in best.items())
