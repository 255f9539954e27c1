"""The kinds of layers that timm builds an EfficientNet of: the fields of each, and the convolutions that it is. Torch-free.

What a layer costs and how it is written follow from its row. Figures of timm's modules (``timm/models/_efficientnet_blocks.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # A layer has an op, and an op is of a kind.
    from dna_engine.space.layer import Layer


@dataclass(frozen=True)
class Convolution:
    """One convolution without a bias, and the norm behind it."""

    kernel: int
    in_width: int
    out_width: int
    stride: int = 1
    depthwise: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of layer; all have an identity residual where the stride is 1 and the widths agree.

    Attributes:
        block: its name in timm's block strings.
        takes: the fields of an op that it has, each with its default.
        convolutions: that it consists of, in the order in which they run. Squeeze-excite stands in front of the last 1x1.
        flags: what else its block string says.
    """

    block: str
    takes: Mapping[str, int | float]
    convolutions: Callable[[Layer], Iterator[Convolution]]
    flags: str = ""

    @property
    def expands(self) -> bool:
        """Whether it has inner channels of its own number."""
        return "expansion" in self.takes


def _mbconv(layer: Layer) -> Iterator[Convolution]:
    yield Convolution(1, layer.in_width, layer.inner)
    yield Convolution(layer.op.kernel, layer.inner, layer.inner, layer.stride, depthwise=True)
    yield Convolution(1, layer.inner, layer.out_width)


def _fused(layer: Layer) -> Iterator[Convolution]:
    yield Convolution(layer.op.kernel, layer.in_width, layer.inner, layer.stride)
    yield Convolution(1, layer.inner, layer.out_width)


def _universal(layer: Layer) -> Iterator[Convolution]:
    """The middle kernel strides, where there is none the first, where there is neither the last."""
    op, width = layer.op, layer.out_width
    if op.start:
        yield Convolution(op.start, layer.in_width, layer.in_width, 1 if op.kernel else layer.stride, depthwise=True)
    yield Convolution(1, layer.in_width, layer.inner)
    if op.kernel:
        yield Convolution(op.kernel, layer.inner, layer.inner, layer.stride, depthwise=True)
    yield Convolution(1, layer.inner, width)
    if op.end:
        yield Convolution(op.end, width, width, 1 if op.start or op.kernel else layer.stride, depthwise=True)


def _separable(layer: Layer) -> Iterator[Convolution]:
    yield Convolution(layer.op.kernel, layer.in_width, layer.in_width, layer.stride, depthwise=True)
    yield Convolution(1, layer.in_width, layer.out_width)


def _conv(layer: Layer) -> Iterator[Convolution]:
    yield Convolution(layer.op.kernel, layer.in_width, layer.out_width, layer.stride)


#: Inverted residuals (Sandler et al. 2018), the same with one full convolution for the first two (Gupta and Tan 2019), universal
#: inverted bottlenecks (Qin et al. 2024, MobileNetV4), depthwise-separable ones (Howard et al. 2017), plain ones.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "mbconv": Kind(block="ir", takes={"kernel": 3, "expansion": 6, "se_ratio": 0.25}, convolutions=_mbconv),
        "fused": Kind(block="er", takes={"kernel": 3, "expansion": 4, "se_ratio": 0.0}, convolutions=_fused),
        "universal": Kind(
            block="uir",
            takes={"start": 0, "kernel": 3, "end": 0, "expansion": 4, "se_ratio": 0.0},
            convolutions=_universal,
        ),
        "separable": Kind(block="ds", takes={"kernel": 3, "se_ratio": 0.25}, convolutions=_separable),
        "conv": Kind(block="cn", takes={"kernel": 3}, convolutions=_conv, flags="_skip"),
    }
)
