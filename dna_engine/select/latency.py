"""A table of measured latencies that adds up to a network's: one row per layer as built. Torch-free.

Latency is taken as additive, like flops and params, so that selection under it is exact; whole nanoseconds keep it an
integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dna_engine.errors import InvalidSpec
from dna_engine.space import parse_op
from dna_engine.space.architecture import Architecture
from dna_engine.space.layer import Layer


@dataclass(frozen=True)
class LatencyTable:
    """Nanoseconds at batch 1, measured on one device.

    Attributes:
        stem: stem and first depthwise-separable stage.
        layers: per layer configuration.
        heads: 1x1 convolution, pooling and classifier, per width that enters them.
    """

    stem: int
    layers: Mapping[Layer, int]
    heads: Mapping[int, int]

    def layer(self, layer: Layer) -> int:
        """Raises InvalidSpec where the table was measured for another space or input size."""
        if layer.op.skip:
            return 0
        if layer not in self.layers:
            raise InvalidSpec(f"The latency table has no row for {layer}; measure it for this space.", param="latency")
        return self.layers[layer]

    def head(self, width: int) -> int:
        if width not in self.heads:
            raise InvalidSpec(
                f"The latency table has no head behind {width} channels; measure it for this space.", param="latency"
            )
        return self.heads[width]

    def architecture(self, architecture: Architecture) -> int:
        """A whole network's predicted latency in nanoseconds."""
        layers = sum(self.layer(layer) for layer in architecture.layers())
        return self.stem + layers + self.head(architecture.blocks[-1].width)

    def to_json(self) -> dict[str, Any]:
        return {
            "stem": self.stem,
            "layers": [
                {
                    "op": layer.op.to_json(),
                    "in_width": layer.in_width,
                    "out_width": layer.out_width,
                    "stride": layer.stride,
                    "in_size": layer.in_size,
                    "ns": nanoseconds,
                    **({"nominal": layer.nominal} if layer.nominal else {}),
                }
                for layer, nanoseconds in self.layers.items()
            ],
            "heads": [{"width": width, "ns": nanoseconds} for width, nanoseconds in self.heads.items()],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LatencyTable:
        """Reads what :meth:`to_json` writes.

        Raises:
            InvalidSpec: the object is not a latency table.
        """
        try:
            layers = {
                Layer(
                    op=parse_op(row["op"], "latency"),
                    in_width=int(row["in_width"]),
                    out_width=int(row["out_width"]),
                    stride=int(row["stride"]),
                    in_size=int(row["in_size"]),
                    nominal=int(row["nominal"]) if "nominal" in row else None,
                ): int(row["ns"])
                for row in value["layers"]
            }
            heads = {int(row["width"]): int(row["ns"]) for row in value["heads"]}
            table = cls(stem=int(value["stem"]), layers=layers, heads=heads)
        except (KeyError, TypeError, ValueError, InvalidSpec) as error:
            raise InvalidSpec(f"Not a latency table: {type(error).__name__}: {error}.", param="latency") from error
        if any(time < 0 for time in (table.stem, *layers.values(), *heads.values())):
            raise InvalidSpec("A latency table cannot hold negative times.", param="latency")
        return table
