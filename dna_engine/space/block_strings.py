"""Layers in the notation that timm builds EfficientNets from: what is rated and what is built are written by the same hand. Torch-free."""

from __future__ import annotations

from dna_engine.space import Op


def first_block_string(width: int) -> str:
    """The depthwise-separable stage behind the stem."""
    return f"ds_r1_k3_s1_e1_c{width}_se0.25"


def block_string(op: Op, *, stride: int, width: int) -> str:
    """A layer that is not skipped. The squeeze-excite ratio, written in full, is relative to the layer's input channels."""
    squeeze = f"_se{op.se_ratio}" if op.se_ratio else ""
    return f"ir_r1_k{op.kernel}_s{stride}_e{op.expansion}_c{width}{squeeze}"


def width_of(block: str) -> int:
    """Output channels of a layer.

    Raises:
        ValueError, IndexError: it is not in that notation.
    """
    return int(block.split("_c")[1].split("_")[0])
