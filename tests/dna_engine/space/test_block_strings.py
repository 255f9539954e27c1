"""Layers in timm's notation: a cell that is rated is the layer that is built, whatever its ratio."""

from __future__ import annotations

import pytest
import torch
from timm.models._efficientnet_blocks import SqueezeExcite
from timm.models._efficientnet_builder import decode_arch_def
from torch import nn

from dna_engine.blockwise.cell import CellSupernet
from dna_engine.space import OPS, Block, Cell, CellRef, Op, Space, parse_op
from dna_engine.space.architecture import Architecture
from dna_engine.space.block_strings import block_string, width_of
from dna_engine.space.layer import Layer
from dna_engine.training.network import build


def layer(op: Op, *, width: int = 24, nominal: int | None = None) -> Layer:
    return Layer(op=op, in_width=16, out_width=width, stride=2, in_size=8, nominal=nominal)


def test_ratios_are_written_in_full() -> None:
    assert block_string(layer(Op(name="a", kernel=5, expansion=3))) == "ir_r1_k5_s2_e3_c24_se0.25"
    assert block_string(layer(Op(name="third", se_ratio=1 / 3))).endswith(f"_se{1 / 3}")
    assert block_string(layer(Op(name="none", se_ratio=0))) == "ir_r1_k3_s2_e6_c24"


def test_what_counts_from_other_channels_than_arrive_is_said_by_ratios() -> None:
    assert block_string(layer(Op(name="a"), nominal=24)) == "ir_r1_k3_s2_e9_c24_se0.375"
    assert block_string(layer(Op(name="a"), nominal=8)) == "ir_r1_k3_s2_e3_c24_se0.125"


@pytest.mark.parametrize(
    ("op", "timms"),
    [
        ("fused4_3x3", "er_r1_k3_s2_e4_c48"),
        ("ib2_3x3", "uir_r1_a0_k3_s2_e2_c48"),
        ("extradw4_5x5_3x3", "uir_r1_a5_k3_s2_e4_c48"),
        ("convnext4_3x3", "uir_r1_a3_k0_s2_e4_c48"),
        ("ffn4", "uir_r1_a0_k0_s2_e4_c48"),
        ({"name": "all", "kind": "universal", "start": 3, "kernel": 5, "end": 7}, "uir_r1_a3_k5_p7_s2_e4_c48"),
        ("separable_5x5", "ds_r1_k5_s2_e1_c48_se0.25"),
        ("conv_1x1", "cn_r1_k1_s2_c48_skip"),
    ],
)
def test_other_kinds_are_read_by_timm_as_its_own_are(op: str | dict[str, object], timms: str) -> None:
    ours = block_string(layer(parse_op(op, "ops.0"), width=48))
    assert decode_arch_def([[ours]]) == decode_arch_def([[timms]])  # type: ignore[no-untyped-call]


def test_kinds_without_an_expansion_work_on_what_arrives() -> None:
    assert block_string(layer(OPS["separable_3x3"], nominal=24)) == "ds_r1_k3_s2_e1_c24_se0.25"
    assert block_string(layer(OPS["conv_3x3"], nominal=24)) == "cn_r1_k3_s2_e1_c24_skip"
    assert block_string(layer(OPS["fused4_3x3"], nominal=24)) == "er_r1_k3_s2_e6_c24"


def test_widths_are_read_back() -> None:
    assert width_of(block_string(layer(OPS["separable_3x3"], width=16))) == 16
    assert width_of(block_string(layer(OPS["conv_3x3"], width=40))) == 40
    with pytest.raises(IndexError):
        width_of("nothing of the kind")


def test_what_is_rated_squeezes_as_what_is_built() -> None:
    """Rounded to six digits, the ratio is 0.1875, which is 502.5 of 2,680 channels: one fewer."""
    op = Op(name="odd", expansion=1, se_ratio=0.18750004)
    space = Space(name="s", blocks=(Block(stride=2, cells=(Cell(depth=1, width=2680),)),), ops=(op,), first_width=2680)
    with torch.device("meta"):
        rated = CellSupernet(space, CellRef(1, 1), 8, 8, width="adaptors")
        built = build(Architecture.from_choices(space, [(1, [op])]))
    assert squeezed(rated.layers) == squeezed(built.get_submodule("blocks.1")) == [503]


def squeezed(module: nn.Module) -> list[int]:
    return [part.conv_reduce.out_channels for part in module.modules() if isinstance(part, SqueezeExcite)]
