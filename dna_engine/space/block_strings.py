"""Layers in the notation that timm builds EfficientNets from: what is rated and what is built are written by the same hand. Torch-free."""

from __future__ import annotations

from dna_engine.space.layer import Layer


def block_string(layer: Layer) -> str:
    """A layer that is not skipped. Expansion and squeeze-excite ratio, written in full, are relative to the channels that arrive."""
    op = layer.op
    start = f"_a{op.start}" if op.start else ""
    end = f"_p{op.end}" if op.end else ""
    squeeze = f"_se{_number(layer.se_ratio)}" if op.se_ratio else ""
    shape = f"s{layer.stride}_e{_number(layer.expansion)}_c{layer.out_width}"
    return f"{op.layer.block}_r1{start}_k{op.kernel}{end}_{shape}{squeeze}{op.layer.flags}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def width_of(block: str) -> int:
    """Output channels of a layer.

    Raises:
        ValueError, IndexError: it is not in that notation.
    """
    return int(block.split("_c")[1].split("_")[0])
