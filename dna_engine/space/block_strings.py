"""Layers in the notation that timm builds EfficientNets from: what is rated and what is built are written by the same hand. Torch-free."""

from __future__ import annotations

from dna_engine.space.layer import Layer


def first_block_string(width: int) -> str:
    """The depthwise-separable stage behind the stem."""
    return f"ds_r1_k3_s1_e1_c{width}_se0.25"


def block_string(layer: Layer) -> str:
    """A layer that is not skipped. Expansion and squeeze-excite ratio, written in full, are relative to the channels that arrive."""
    squeeze = f"_se{_number(layer.se_ratio)}" if layer.op.se_ratio else ""
    return f"ir_r1_k{layer.op.kernel}_s{layer.stride}_e{_number(layer.expansion)}_c{layer.out_width}{squeeze}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def width_of(block: str) -> int:
    """Output channels of a layer.

    Raises:
        ValueError, IndexError: it is not in that notation.
    """
    return int(block.split("_c")[1].split("_")[0])
