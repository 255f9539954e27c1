"""One cell as a supernet: every candidate op of every layer, built exactly as timm builds it in the final network.

Around the rated layers stand parts that all paths share and that are thrown away: at the entry the student's stem
(block 1) or a 1x1 convolution from the teacher's channels to the width that the block will see, at the exit a 1x1
convolution to the teacher's channels.

Shapes: a *stack* is the maps of P paths side by side, (P * B, C, H, W) with the B images of a path next to each other.
Convolutions do not care; batch norm takes its statistics for each path on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from timm.layers.norm_act import BatchNormAct2d
from timm.models._efficientnet_blocks import SqueezeExcite
from timm.models._efficientnet_builder import EfficientNetBuilder, decode_arch_def, efficientnet_init_weights
from torch import Tensor, nn
from torch.nn import functional as F

from dna_engine.blockwise.pointwise import make_pointwise
from dna_engine.errors import TeacherError
from dna_engine.runtime.seeds import stream
from dna_engine.space import CellRef, Op, Space
from dna_engine.space.architecture import first_stage
from dna_engine.space.block_strings import block_string
from dna_engine.space.cost import block_sizes
from dna_engine.space.layer import Layer
from dna_engine.space.space import Activation
from dna_engine.spec import ResolvedSpec


@dataclass
class Stack:
    """How many paths lie side by side in the maps that a cell's norms see next."""

    paths: int = 1


class StackNorm(BatchNormAct2d):
    """Batch norm by the statistics of the batch, of each path of a stack on its own; keeps no running statistics."""

    def __init__(self, stack: Stack, num_features: int, *, apply_act: bool, activation: Activation = "silu") -> None:
        super().__init__(num_features, track_running_stats=False, apply_act=apply_act, act_layer=activation)
        self.stack = stack

    def forward(self, x: Tensor) -> Tensor:
        if self.stack.paths == 1:
            return cast(Tensor, self.act(self._normalized(x)))
        if x.is_cuda:
            return cast(Tensor, self.act(self._normalized_together(x)))
        # On a CPU one path after another is faster: each fits the cache.
        return cast(Tensor, self.act(torch.cat([self._normalized(path) for path in x.chunk(self.stack.paths)])))

    def _normalized(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)

    def _normalized_together(self, x: Tensor) -> Tensor:
        paths = x.float().view(self.stack.paths, -1, *x.shape[1:])  # (P, B, C, H, W)
        variance, mean = torch.var_mean(paths, (1, 3, 4), correction=0, keepdim=True)
        scale = self.weight.view(1, 1, -1, 1, 1) * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.bias.view(1, 1, -1, 1, 1) - mean * scale, paths, scale).to(x.dtype).flatten(0, 1)


def _norm_layer(stack: Stack, activation: Activation) -> Callable[..., StackNorm]:
    """The norm in the form in which timm's builder asks for one."""

    def norm(
        num_features: int,
        *,
        apply_act: bool = True,
        inplace: bool = True,
        act_kwargs: Any = None,
        device: Any = None,
        dtype: Any = None,
    ) -> StackNorm:
        assert inplace or not apply_act
        del act_kwargs, device, dtype
        return StackNorm(stack, num_features, apply_act=apply_act, activation=activation)

    return norm


def _timm_block(stack: Stack, layer: Layer, activation: Activation) -> nn.Module:
    """The layer as timm builds it from its block string."""
    builder = EfficientNetBuilder(
        act_layer=activation, norm_layer=_norm_layer(stack, activation), se_layer=SqueezeExcite, round_chs_fn=int
    )
    stages = builder(layer.in_width, decode_arch_def([[block_string(layer)]]))  # type: ignore[no-untyped-call]
    return cast(nn.Module, stages[0][0])


class Stem(nn.Module):
    """The first layers of the student, as timm builds them: a 3x3 convolution of stride 2 and the space's first stage, if any."""

    def __init__(self, stack: Stack, space: Space) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(3, space.stem_width, 3, stride=2, padding=1, bias=False)
        self.bn1 = StackNorm(stack, space.stem_width, apply_act=True, activation=space.activation)
        stage = [_timm_block(stack, layer, space.activation) for layer in first_stage(space, 1)]
        self.first = stage[0] if stage else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.first(self.bn1(self.conv_stem(images))))


class CellSupernet(nn.Module):
    """A cell with all its candidate ops.

    Args:
        space, ref: which cell.
        channels_in, channels_out: of the teacher's maps before and after the block.
        width: ``adaptors``, or ``teacher`` to widen the cell's first and last width to the teacher's instead.
    """

    def __init__(self, space: Space, ref: CellRef, channels_in: int, channels_out: int, *, width: str) -> None:
        super().__init__()
        cell, stride = space.cell(ref), space.blocks[ref.block - 1].stride
        self.stack = Stack()
        first, last = space.in_width(ref.block), cell.width
        self.enter: nn.Module = Stem(self.stack, space)
        self.leave: nn.Module = nn.Conv2d(last, channels_out, 1)
        if ref.block > 1:
            self.enter = nn.Sequential(
                nn.Conv2d(channels_in, first, 1, bias=False), StackNorm(self.stack, first, apply_act=False)
            )
        if width == "teacher":
            last, self.leave = channels_out, nn.Identity()
            if ref.block > 1:
                first, self.enter = channels_in, nn.Identity()
        self.layers = nn.ModuleList()
        for layer in range(cell.depth):
            after = last if layer == cell.depth - 1 else cell.width
            candidates = {
                op.name: _candidate(self.stack, space, op, first, after, stride if layer == 0 else 1)
                for op in space.layer_ops(layer)
            }
            self.layers.append(nn.ModuleDict(candidates))
            first = after
        efficientnet_init_weights(self)
        make_pointwise(self)

    def forward(self, x: Tensor, path: Sequence[Op]) -> Tensor:
        """The teacher's map after the block, as the path's ops make it from the map before the block."""
        self.stack.paths = 1
        x = self.enter(x)
        for layer, op in enumerate(path):
            x = self.run_op(layer, op, x)
        return cast(Tensor, self.leave(x))

    @torch.no_grad()
    def start_from_mean(self, mean: Tensor) -> None:
        """Sets the exit adaptor so that the cell's output is the mean of each of the teacher's channels, (C,)."""
        if isinstance(self.leave, nn.Conv2d):
            assert self.leave.bias is not None
            self.leave.weight.zero_()
            self.leave.bias.copy_(mean)

    def run_op(self, layer: int, op: Op, maps: Tensor, paths: int = 1) -> Tensor:
        """One op of a layer (from 0) on the maps of ``paths`` paths side by side."""
        self.stack.paths = paths
        candidates = cast(nn.ModuleDict, self.layers[layer])
        return cast(Tensor, candidates[op.name](maps))


def _candidate(stack: Stack, space: Space, op: Op, in_width: int, out_width: int, stride: int) -> nn.Module:
    if op.skip:
        return nn.Identity()
    layer = Layer(op=op, in_width=in_width, out_width=out_width, stride=stride, in_size=1)  # Whatever the maps are.
    return _timm_block(stack, layer, space.activation)


def check_sides(spec: ResolvedSpec, sides: Sequence[int]) -> None:
    """Looks whether the teacher's maps, of these sides in pixels at its boundaries, are as large as those of the space.

    Raises:
        TeacherError: they are not.
    """
    space = spec.parsed_space
    for block, (wanted, side) in enumerate(zip(block_sizes(space, spec.input_size)[1:], sides, strict=True), start=1):
        if side != wanted:
            raise TeacherError(
                f"Block {block} ends at {wanted}x{wanted} pixels, but {spec.teacher.model} gives {side}x{side} after "
                f"{spec.teacher.boundaries[block - 1]}. Take an input size that {space.reductions[-1]} divides, or another "
                "boundary or space.",
                param="teacher.boundaries",
            )


def make_cells(
    spec: ResolvedSpec, refs: Sequence[CellRef], shapes: Sequence[torch.Size]
) -> dict[CellRef, CellSupernet]:
    """Cells whose initial weights depend on the search's seed and the cell alone.

    Args:
        spec: the search.
        refs: which cells.
        shapes: of the teacher's maps (C, H, W) at boundaries 0 (the image) to the last.

    Raises:
        TeacherError: the teacher's maps do not have the resolution of the space's.
    """
    space = spec.parsed_space
    check_sides(spec, [shape[-1] for shape in shapes[1:]])
    cells = {}
    for ref in refs:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream(spec.seed, "weights", str(ref)).initial_seed())
            cells[ref] = CellSupernet(
                space, ref, shapes[ref.block - 1][0], shapes[ref.block][0], width=spec.training.width
            )
    return cells
