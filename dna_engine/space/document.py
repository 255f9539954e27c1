"""The JSON of ops, spaces and networks as models: what documents of the service say of it. Torch-free.

Spaces are read by :func:`~dna_engine.space.parse.parse_space`, which says of each mistake where it is and what would be right. These models
say beforehand what it takes; the tests hold one against the other. What no schema can say is said in words: parts that must fit together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from dna_engine.fields import DescribedBy, Whole, Written
from dna_engine.images.pictures.pixels import Fit
from dna_engine.images.pictures.prepare import WHITE
from dna_engine.space.architecture import Format
from dna_engine.space.ops import MAX_OP_NAME, OPS
from dna_engine.space.space import (
    MAX_BLOCKS,
    MAX_CELLS,
    MAX_DEPTH,
    MAX_OPS,
    MAX_SPACE_NAME,
    MAX_WIDTH,
    Activation,
    FirstLayer,
)

#: What a network that comes from elsewhere may have, in pixels and classes: what is built of it must fit where any network of a space does.
SIZES, CLASSES = range(16, 1025), range(2, 100_001)

_Kernel = Annotated[Whole, WithJsonSchema({"type": "integer", "enum": [*range(1, 16, 2)]})]
_KernelOrNone = Annotated[Whole, WithJsonSchema({"type": "integer", "enum": [0, *range(1, 16, 2)]})]
_Expansion = Annotated[Whole, Field(ge=1, le=16)]
_Ratio = Annotated[float, WithJsonSchema({"type": "number", "anyOf": [{"const": 0}, {"minimum": 0.1, "maximum": 1}]})]
_Width = Annotated[Whole, Field(ge=8, le=MAX_WIDTH, multiple_of=8)]

_KERNEL = "Side of its convolution: the depthwise one where there is one."
_EXPANSION = "Inner channels over input channels."
_RATIO = "Squeeze-excite channels over the layer's input channels; 0 leaves it out."


class NamedOp(Written):
    """An op that is described."""

    name: str = Field(
        min_length=1, max_length=MAX_OP_NAME, description="What ratings call it: in a space each another."
    )


class MbconvOp(NamedOp):
    """An inverted residual: expansion, depthwise convolution, squeeze-excite, projection (Sandler et al. 2018)."""

    kind: Literal["mbconv"] = Field(default="mbconv", description="The kind of layer.")
    kernel: _Kernel = Field(default=3, description=_KERNEL)
    expansion: _Expansion = Field(default=6, description=_EXPANSION)
    se_ratio: _Ratio = Field(default=0.25, description=_RATIO)
    skip: Literal[False] = Field(default=False, description="It builds something.")


class SkipOp(NamedOp):
    """The identity: only where the stride is 1 and the widths agree."""

    kind: Literal["mbconv"] = Field(default="mbconv", description="Said of any skip.")
    kernel: Whole = Field(default=3, description="Not looked at, as its other sizes.")
    expansion: Whole = Field(default=6, description="Not looked at.")
    se_ratio: float = Field(default=0.25, description="Not looked at.")
    skip: Literal[True] = Field(description="It builds nothing.")


class FusedOp(NamedOp):
    """An inverted residual with one full convolution for the first two (Gupta and Tan 2019)."""

    kind: Literal["fused"] = Field(description="The kind of layer.")
    kernel: _Kernel = Field(default=3, description=_KERNEL)
    expansion: _Expansion = Field(default=4, description=_EXPANSION)
    se_ratio: _Ratio = Field(default=0.0, description=_RATIO)


class UniversalOp(NamedOp):
    """A universal inverted bottleneck (Qin et al. 2024, MobileNetV4)."""

    kind: Literal["universal"] = Field(description="The kind of layer.")
    start: _KernelOrNone = Field(
        default=0, description="Side of the depthwise convolution in front of the expansion; 0 leaves it out."
    )
    kernel: _KernelOrNone = Field(default=3, description="Side of that behind the expansion; 0 leaves it out.")
    end: _KernelOrNone = Field(default=0, description="Side of that behind the projection; 0 leaves it out.")
    expansion: _Expansion = Field(default=4, description=_EXPANSION)
    se_ratio: _Ratio = Field(default=0.0, description=_RATIO)


class SeparableOp(NamedOp):
    """A depthwise convolution, and a 1x1 one (Howard et al. 2017)."""

    kind: Literal["separable"] = Field(description="The kind of layer.")
    kernel: _Kernel = Field(default=3, description=_KERNEL)
    se_ratio: _Ratio = Field(default=0.25, description=_RATIO)


class ConvOp(NamedOp):
    """A plain convolution."""

    kind: Literal["conv"] = Field(description="The kind of layer.")
    kernel: _Kernel = Field(default=3, description=_KERNEL)


_Named = Annotated[str, WithJsonSchema({"type": "string", "enum": list(OPS)})]
_NamedStage = Annotated[
    str, WithJsonSchema({"type": "string", "enum": [op.name for op in OPS.values() if not op.skip]})
]

#: One of the table, or described.
OpDocument = _Named | MbconvOp | SkipOp | FusedOp | UniversalOp | SeparableOp | ConvOp
StageDocument = _NamedStage | MbconvOp | FusedOp | UniversalOp | SeparableOp | ConvOp


class CellDocument(Written):
    """Layers behind one another, each of which is an op of the space."""

    depth: Whole = Field(ge=1, le=MAX_DEPTH, description="How many layers.")
    width: _Width = Field(description="Channels that each of them puts out.")


class BlockDocument(Written):
    """The cells among which one is chosen."""

    stride: Annotated[Whole, WithJsonSchema({"type": "integer", "enum": [1, 2]})] = Field(
        description="Of the first layer of each cell. All blocks together reduce the image at most 32 times, the stem's 2 included."
    )
    cells: list[CellDocument] = Field(min_length=1, max_length=MAX_CELLS, description="Numbered from 1, as blocks are.")


class SpaceDocument(Written):
    """The networks among which is searched. `GET /spaces` shows those that have names."""

    name: str = Field(default="custom", max_length=MAX_SPACE_NAME, description="What to call it.")
    blocks: list[BlockDocument] = Field(
        min_length=1, max_length=MAX_BLOCKS, description="From the input on, numbered from 1."
    )
    ops: list[OpDocument] = Field(
        default=["mb6_3x3", "mb6_5x5", "mb6_7x7", "mb3_3x3", "mb3_5x5", "mb3_7x7"],
        min_length=1,
        max_length=MAX_OPS,
        description="What each layer may be, by name or described; one at least that is no skip and has a kernel, for a block to begin "
        "with. Default: the six of the paper.",
    )
    stem_width: _Width = Field(default=32, description="Channels behind the stem, a convolution of stride 2.")
    first_width: _Width = Field(
        default=16, description="Channels behind the first stage; without one leave it out: they are the stem's."
    )
    head_width: _Width = Field(default=1280, description="Channels of the 1x1 convolution in front of the pooling.")
    first_layer: FirstLayer = Field(
        default="previous",
        description="What the inner width of a block's first layer is counted from. previous: the channels that arrive, as timm does. "
        "nominal: those that the block was rated behind.",
    )
    first_stage: StageDocument | None = Field(
        default="separable_3x3", description="The layer behind the stem, the same in every network; null: none."
    )
    activation: Activation = Field(default="silu", description="Behind every norm that has one, under timm's name.")


class Read(Written):
    """Whatever else stands beside these fields is not looked at."""

    model_config = ConfigDict(extra="ignore")


class ChoiceDocument(Read):
    """What is chosen in one block."""

    cell: Whole = Field(description="Of the block of its space, from 1.")
    stride: Annotated[Whole, WithJsonSchema({"type": "integer", "enum": [1, 2]})] = Field(
        description="Of its first layer."
    )
    width: _Width = Field(description="Channels that each layer puts out.")
    ops: list[OpDocument] = Field(min_length=1, max_length=MAX_DEPTH, description="Of each layer.")
    nominal: Whole | None = Field(
        default=None,
        ge=1,
        le=MAX_WIDTH,
        description="Channels that its first layer counts its inner width from, where they are not those that arrive.",
    )


class TimmDocument(Read):
    """The arguments of `timm.models.efficientnet.EfficientNet`, which builds the network from them alone."""

    arch_def: list[list[str]] = Field(description="Block strings, a list for each stage; they say what `blocks` do.")
    stem_size: _Width = Field(description="Channels behind the stem.")
    num_features: _Width = Field(description="Channels in front of the pooling.")
    num_classes: Whole = Field(ge=CLASSES.start, lt=CLASSES.stop, description="Classes that it answers with.")
    in_chans: Literal[3] = Field(description="Red, green and blue.")
    act_layer: Activation = Field(default="silu", description="Behind every norm that has one.")


class PreprocessingDocument(Read):
    """How a picture becomes an input: `prepare.py` of a bundle does it."""

    fit: Fit = Field(default="crop", description="How one that is no square becomes one.")
    resize: int = Field(description="Side in pixels that the square is resized to.")
    size: int = Field(description="Side in pixels of its middle, which the network sees.")
    background: str = Field(default="white", description="Below what is transparent, and beside what is padded.")
    white: int = Field(default=WHITE, description="What is white in pictures of 16 bits of grey.")
    interpolation: Literal["bilinear"] = Field(description="By which it is resized.")
    mean: list[float] = Field(description="(x / 255 - mean) / std, by channel.")
    std: list[float] = Field(description="The same.")
    classes: list[str] = Field(description="Names, in the order of the logits.")


class GivenDocument(Read):
    """A network of a space, as it is downloaded. Whatever else stands beside these fields is not looked at."""

    format: Format = Field(
        description="2: `nominal` of some block; 3: other ops than mbconv, another first stage or activation."
    )
    input_size: Whole = Field(ge=SIZES.start, lt=SIZES.stop, description="Side of its input in pixels.")
    blocks: list[ChoiceDocument] = Field(min_length=1, max_length=MAX_BLOCKS, description="From the input on.")
    first_stage: StageDocument | None = Field(
        default="separable_3x3", description="The layer behind the stem; null: none."
    )
    timm: TimmDocument = Field(description="What timm builds it from.")


class NetworkDocument(GivenDocument):
    """A network of a space: what timm builds it from, and how a picture becomes its input."""

    preprocessing: PreprocessingDocument | None = Field(
        default=None, description="How a picture becomes an input; left out of one that was never trained."
    )


class StandardDocument(Read):
    """A standard network, which a search trains beside its own."""

    format: Literal["timm-model/1"] = Field(description="It is built by `timm.create_model`.")
    model: str = Field(description="Of timm.")
    channel_multiplier: float | None = Field(
        description="What its channels are multiplied by; null: it is as timm has it."
    )
    num_classes: int = Field(description="Classes that it answers with.")
    input_size: int = Field(description="Side of its input in pixels.")
    preprocessing: PreprocessingDocument = Field(description="How a picture becomes an input.")


#: Dicts of that form, as they are kept, sent and read.
SpaceJson = Annotated[dict[str, Any], DescribedBy(SpaceDocument)]
GivenJson = Annotated[dict[str, Any], DescribedBy(GivenDocument)]
NetworkJson = Annotated[dict[str, Any], DescribedBy(NetworkDocument)]
AnyNetworkJson = Annotated[dict[str, Any], DescribedBy(NetworkDocument | StandardDocument)]
