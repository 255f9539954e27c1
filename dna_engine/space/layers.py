"""A network layer by layer, from the stem to the classifier, as people look at it. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dna_engine.space.architecture import Architecture, Choice, first_stage
from dna_engine.space.cost import Cost, classifier_cost, conv_norm_cost, layer_cost, out_size
from dna_engine.space.layer import Layer

Stage = Literal["stem", "block", "head"]


@dataclass(frozen=True, kw_only=True)
class LayerFigures:
    """A layer with what it does and costs; over all layers of a network the costs add up to the network's.

    Attributes:
        number: from 1, through the network.
        block, cell, layer: from 1, the layer's place in its block; None in stem and head.
        op: its name in the space, ``conv`` or ``linear`` outside of it.
        kind: of :data:`~dna_engine.space.kinds.KINDS`, ``skip`` or ``linear``.
        description: its convolutions in the order in which they run.
        kernel: side of its largest convolution; None where it has none.
        expansion: inner channels over those that arrive; None of kinds without.
        squeeze_channels: that squeeze-excite squeezes to; 0 without.
        input_size, output_size: sides of its maps in pixels; behind the pooling 1.
        skip: whether what arrives is added to what it computes, or is all that leaves it.
    """

    number: int
    stage: Stage
    block: int | None = None
    cell: int | None = None
    layer: int | None = None
    op: str
    kind: str
    description: str
    kernel: int | None
    expansion: float | None = None
    squeeze_channels: int = 0
    in_channels: int
    out_channels: int
    stride: int = 1
    input_size: int
    output_size: int
    skip: bool = False
    flops: int
    params: int


def layers_of(network: Architecture) -> list[LayerFigures]:
    """The stem's convolution and first stage, every layer of the blocks with the skips, and of the head the convolution and the classifier."""
    rows = [*_stem(network, 1)]
    size = rows[-1].output_size
    width = network.first_width
    for number, block in enumerate(network.blocks, start=1):
        rows += _block(block, number, width=width, size=size, begin=len(rows) + 1)
        size, width = rows[-1].output_size, block.width
    return [*rows, *_head(network, width, size, len(rows) + 1)]


def _stem(network: Architecture, begin: int) -> Iterator[LayerFigures]:
    size = out_size(network.input_size, 2)
    cost = conv_norm_cost(size, 3, network.in_chans, network.stem_width)
    yield _convolution(
        begin, "stem", 3, network.in_chans, network.stem_width, (network.input_size, size), cost=cost, stride=2
    )
    for number, layer in enumerate(first_stage(network, size), start=begin + 1):
        yield _built(layer, number, "stem")


def _block(block: Choice, number: int, *, width: int, size: int, begin: int) -> Iterator[LayerFigures]:
    for index, op in enumerate(block.ops):
        stride, nominal = (block.stride, block.nominal) if index == 0 else (1, None)
        layer = Layer(op=op, in_width=width, out_width=block.width, stride=stride, in_size=size, nominal=nominal)
        yield _built(layer, begin + index, "block", place=(number, block.cell, index + 1))
        size, width = out_size(size, stride), block.width


def _head(network: Architecture, width: int, size: int, begin: int) -> Iterator[LayerFigures]:
    cost = conv_norm_cost(size, 1, width, network.head_width)
    yield _convolution(begin, "head", 1, width, network.head_width, (size, size), cost=cost)
    classifier = classifier_cost(network.head_width, network.num_classes)
    yield LayerFigures(
        number=begin + 1,
        stage="head",
        op="linear",
        kind="linear",
        description=f"mean over the map, linear to {network.num_classes}",
        kernel=None,
        in_channels=network.head_width,
        out_channels=network.num_classes,
        input_size=size,
        output_size=1,
        flops=classifier.flops,
        params=classifier.params,
    )


def _convolution(
    number: int,
    stage: Stage,
    kernel: int,
    in_width: int,
    out_width: int,
    sizes: tuple[int, int],
    *,
    cost: Cost,
    stride: int = 1,
) -> LayerFigures:
    """A plain convolution of stem or head."""
    return LayerFigures(
        number=number,
        stage=stage,
        op="conv",
        kind="conv",
        description=f"{kernel}x{kernel} to {out_width}",
        kernel=kernel,
        in_channels=in_width,
        out_channels=out_width,
        stride=stride,
        input_size=sizes[0],
        output_size=sizes[1],
        flops=cost.flops,
        params=cost.params,
    )


def _built(
    layer: Layer, number: int, stage: Stage, *, place: tuple[int | None, int | None, int | None] = (None, None, None)
) -> LayerFigures:
    """A layer of a space."""
    op, cost = layer.op, layer_cost(layer)
    convolutions = [] if op.skip else [*op.layer.convolutions(layer)]
    return LayerFigures(
        number=number,
        stage=stage,
        block=place[0],
        cell=place[1],
        layer=place[2],
        op=op.name,
        kind="skip" if op.skip else op.kind,
        description=_description(layer),
        kernel=max((each.kernel for each in convolutions), default=None),
        expansion=layer.expansion if op.layer.expands and not op.skip else None,
        squeeze_channels=0 if op.skip else layer.squeezed,
        in_channels=layer.in_width,
        out_channels=layer.out_width,
        stride=layer.stride,
        input_size=layer.in_size,
        output_size=out_size(layer.in_size, layer.stride),
        skip=layer.stride == 1 and layer.in_width == layer.out_width,
        flops=cost.flops,
        params=cost.params,
    )


def _description(layer: Layer) -> str:
    """Such as ``1x1 to 96, depthwise 5x5, squeeze-excite 4, 1x1 to 24``."""
    if layer.op.skip:
        return "nothing: what arrives leaves"
    convolutions = [*layer.op.layer.convolutions(layer)]
    said = [
        f"depthwise {each.kernel}x{each.kernel}"
        if each.depthwise
        else f"{each.kernel}x{each.kernel} to {each.out_width}"
        for each in convolutions
    ]
    if layer.squeezed:
        last = max(place for place, each in enumerate(convolutions) if each.kernel == 1 and not each.depthwise)
        said.insert(last, f"squeeze-excite {layer.squeezed}")
    return ", ".join(said)
