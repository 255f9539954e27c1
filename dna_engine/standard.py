"""Standard networks, timm's, that a search trains beside its own: which there are, and what one of them is. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dna_engine.catalogue import NATIVE_SIZE, catalogue
from dna_engine.errors import InvalidSpec, UnknownName

#: What ``format`` of their ``architecture.json`` says.
FORMAT = "timm-model/1"

#: Where they are named in a search.
PARAM = "retrain.references"


@dataclass(frozen=True)
class Scaling:
    """How timm makes a model whose channels can be multiplied: the function, and what the model itself multiplies with.

    Attributes:
        module: of ``timm.models``.
    """

    module: str
    function: str
    channels: float = 1.0
    depth: float | None = None


#: Models that are made as wide as it takes to cost what the found network does; all others are trained as they are.
SCALED: Mapping[str, Scaling] = {
    **{
        f"efficientnet_b{number}": Scaling("efficientnet", "_gen_efficientnet", channels, depth)
        for number, (channels, depth) in enumerate([(1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8)])
    },
    "mobilenetv2_100": Scaling("efficientnet", "_gen_mobilenet_v2"),
    "mnasnet_100": Scaling("efficientnet", "_gen_mnasnet_b1"),
    "semnasnet_100": Scaling("efficientnet", "_gen_mnasnet_a1"),
    "fbnetc_100": Scaling("efficientnet", "_gen_fbnetc"),
    "mobilenetv3_small_100": Scaling("mobilenetv3", "_gen_mobilenet_v3"),
    "mobilenetv3_large_100": Scaling("mobilenetv3", "_gen_mobilenet_v3"),
    "mobilenetv4_conv_small": Scaling("mobilenetv3", "_gen_mobilenet_v4"),
    "mobilenetv4_conv_medium": Scaling("mobilenetv3", "_gen_mobilenet_v4"),
    "lcnet_100": Scaling("mobilenetv3", "_gen_lcnet"),
}

#: Families whose pooling leaves nothing of smaller images, and the least side of theirs.
LEAST_SIZES: Mapping[str, int] = {"ConvNeXt": 32, "ConvNeXtV2": 32, "DenseNet": 32, "GhostNet": 64}

#: Families without residual branches that stochastic depth could leave out.
WITHOUT_BRANCHES = frozenset({"DenseNet", "GhostNet"})


@dataclass(frozen=True, kw_only=True)
class Standard:
    """A model of timm for a number of classes, at an input size.

    Attributes:
        width: what all its channels are multiplied with; None for the model as it is.
    """

    model: str
    width: float | None
    num_classes: int
    input_size: int

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "model": self.model,
            "channel_multiplier": self.width,
            "num_classes": self.num_classes,
            "input_size": self.input_size,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Standard:
        return cls(
            model=value["model"],
            width=value["channel_multiplier"],
            num_classes=value["num_classes"],
            input_size=value["input_size"],
        )


def is_standard(described: Mapping[str, Any]) -> bool:
    """Whether an ``architecture.json`` is that of a standard network."""
    return described.get("format") == FORMAT


def check_references(names: Sequence[str], input_size: int) -> None:
    """Looks whether these models can be trained beside what a search finds.

    Raises:
        UnknownName: one is not in the catalogue; names near ones.
        InvalidSpec: one is named twice, with weights, or cannot take images of that size.
    """
    for name in names:
        model, dot, tag = name.partition(".")
        if model not in catalogue():
            raise UnknownName("standard network", name, catalogue(), param=PARAM)
        if dot:
            raise InvalidSpec(
                f"References are trained from scratch: write {model}, without the weights {tag}.", param=PARAM
            )
        least = LEAST_SIZES.get(catalogue()[model].family, 0)
        if catalogue()[model].takes_one_size and input_size != NATIVE_SIZE:
            least = NATIVE_SIZE
        if input_size < least or (catalogue()[model].takes_one_size and input_size > NATIVE_SIZE):
            raise InvalidSpec(
                f"{model} takes images of {least} pixels{'' if least == NATIVE_SIZE else ' or more'}, not {input_size}: take another, such as "
                "efficientnet_b0 or mobilenetv3_small_100, or another input_size.",
                param=PARAM,
            )
    if len(set(names)) < len(names):
        raise InvalidSpec("A reference is named twice.", param=PARAM)
