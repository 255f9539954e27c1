"""Search spaces: which networks exist, counted exactly. Torch-free.

A space is a list of blocks. A block offers one or more cells, a cell is ``depth`` layers of ``width`` channels, and
every layer chooses one op of the space. The first layer of a cell carries the block's stride and changes the width, so
ops that need equal shapes (a skip, a layer without a kernel) are not offered there. Blocks and cells are numbered from 1 in everything a user sees.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dna_engine.errors import InvalidSpace, UnknownName
from dna_engine.space.ops import MBCONV_OPS, OPS, Op

#: Far above any space of use; they keep what a spec can cost to check, and its sums in 64 bits, bounded.
MAX_BLOCKS, MAX_CELLS, MAX_OPS, MAX_WIDTH = 16, 8, 16, 4096

#: Layers of a cell.
MAX_DEPTH = 8

#: Over all cells of a space that is searched: four times the paper's. Every path is rated, and every selection looks at it.
MAX_PATHS = 100_000

FirstLayer = Literal["previous", "nominal"]

#: Functions behind the norms, under timm's names.
Activation = Literal["silu", "relu", "relu6", "hard_swish", "gelu"]

#: The op behind the stem, where nothing is said.
SEPARABLE = OPS["separable_3x3"]

#: Fields of a space that are widths outside its cells.
WIDTHS = ("stem_width", "first_width", "head_width")

#: Characters of the name of a space.
MAX_SPACE_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Cell:
    """``depth`` layers of ``width`` output channels."""

    depth: int
    width: int

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= MAX_DEPTH:
            raise InvalidSpace(
                f"A cell's depth must be between 1 and {MAX_DEPTH}, not {self.depth}.", param="space.blocks"
            )
        if not 8 <= self.width <= MAX_WIDTH or self.width % 8:
            raise InvalidSpace(
                f"A cell's width must be a multiple of 8 from 8 to {MAX_WIDTH}, not {self.width}.", param="space.blocks"
            )


@dataclass(frozen=True, kw_only=True)
class Block:
    """The cells among which one is chosen, and the stride of their first layer."""

    stride: int
    cells: tuple[Cell, ...]

    def __post_init__(self) -> None:
        if self.stride not in (1, 2):
            raise InvalidSpace(f"A block's stride must be 1 or 2, not {self.stride}.", param="space.blocks")
        if not 1 <= len(self.cells) <= MAX_CELLS:
            raise InvalidSpace(
                f"A block needs between 1 and {MAX_CELLS} cells, not {len(self.cells)}.", param="space.blocks"
            )

    @property
    def nominal_width(self) -> int:
        """Width that the next block's cells are trained and rated behind: the commonest of the cells, the first of ties."""
        widths = [cell.width for cell in self.cells]
        return max(widths, key=lambda width: (widths.count(width), -widths.index(width)))


@dataclass(frozen=True, kw_only=True)
class Space:
    """A search space over timm EfficientNets.

    Attributes:
        stem_width: channels after the stride-2 stem convolution.
        first_stage: the one layer that follows it, the same in every network; None for none.
        first_width: channels after the first stage, or of the stem where there is none.
        head_width: channels of the 1x1 convolution before pooling.
        first_layer: what the inner width of a block's first layer is counted from. previous: the channels that arrive, as timm and
            the paper do, so that what is built is not quite what was rated where the block before is wider or narrower than the
            nominal one. nominal: the channels that the block was rated behind, whatever arrives, so that it is the same.
        activation: behind every norm that has one, in stem, layers, squeeze-excite and head alike.
    """

    name: str
    blocks: tuple[Block, ...]
    ops: tuple[Op, ...] = MBCONV_OPS
    stem_width: int = 32
    first_width: int = 16
    head_width: int = 1280
    first_layer: FirstLayer = "previous"
    first_stage: Op | None = SEPARABLE
    activation: Activation = "silu"

    def __post_init__(self) -> None:
        if not 1 <= len(self.blocks) <= MAX_BLOCKS:
            raise InvalidSpace(
                f"A space needs between 1 and {MAX_BLOCKS} blocks, not {len(self.blocks)}.", param="space.blocks"
            )
        if len(self.ops) > MAX_OPS:
            raise InvalidSpace(f"A space takes at most {MAX_OPS} ops, not {len(self.ops)}.", param="space.ops")
        if not self.layer_ops(0):
            raise InvalidSpace(
                "A space needs at least one op that a block can begin with: one that is not a skip, and has a kernel.",
                param="space.ops",
            )
        if len({op.name for op in self.ops}) < len(self.ops):
            raise InvalidSpace("Two ops of the space share a name.", param="space.ops")
        if self.reductions[-1] > 32:  # timm's builder would dilate the convolutions behind instead of striding.
            raise InvalidSpace(
                f"The blocks reduce the image {self.reductions[-1]} times; at most 32 can be built. Give fewer blocks "
                "a stride of 2.",
                param="space.blocks",
            )
        if self.first_layer not in get_args(FirstLayer):
            raise InvalidSpace(
                f"first_layer is {' or '.join(get_args(FirstLayer))}, not {self.first_layer!r}.",
                param="space.first_layer",
            )
        if self.activation not in get_args(Activation):
            raise UnknownName("activation", str(self.activation), get_args(Activation), param="space.activation")
        self._check_ends()

    def _check_ends(self) -> None:
        """Stem, first stage and head."""
        if self.first_stage is not None and self.first_stage.skip:
            raise InvalidSpace("The first stage is an op that builds something, or null.", param="space.first_stage")
        if self.first_stage is None and self.first_width != self.stem_width:
            raise InvalidSpace(
                f"Without a first stage the stem's {self.stem_width} channels arrive at the blocks: leave first_width out.",
                param="space.first_width",
            )
        for name in WIDTHS:
            if not 8 <= (width := getattr(self, name)) <= MAX_WIDTH or width % 8:
                raise InvalidSpace(
                    f"{name} must be a multiple of 8 from 8 to {MAX_WIDTH}, not {width}.", param=f"space.{name}"
                )

    def layer_ops(self, layer: int) -> tuple[Op, ...]:
        """Ops offered at a layer (from 0) of a cell: at the first, which changes the shape, those that can."""
        return tuple(op for op in self.ops if op.strides) if layer == 0 else self.ops

    def paths(self, cell: Cell) -> Iterator[tuple[Op, ...]]:
        """Every path of a cell, in ``itertools.product`` order of the ops, layer by layer."""
        return itertools.product(*(self.layer_ops(layer) for layer in range(cell.depth)))

    def path(self, cell: Cell, index: int) -> tuple[Op, ...]:
        """The path at ``index`` of :meth:`paths`, without walking there."""
        ops: list[Op] = []
        for layer in reversed(range(cell.depth)):
            choices = self.layer_ops(layer)
            index, choice = divmod(index, len(choices))
            ops.append(choices[choice])
        return tuple(reversed(ops))

    def path_index(self, cell: Cell, ops: Sequence[str]) -> int:
        """The number of the path of the ops of these names: what :meth:`path` takes."""
        index = 0
        for layer, name in enumerate(ops):
            names = [op.name for op in self.layer_ops(layer)]
            index = index * len(names) + names.index(name)
        assert len(ops) == cell.depth
        return index

    def path_count(self, cell: Cell) -> int:
        return math.prod(len(self.layer_ops(layer)) for layer in range(cell.depth))

    @property
    def paths_per_block(self) -> list[int]:
        return [sum(self.path_count(cell) for cell in block.cells) for block in self.blocks]

    @property
    def networks(self) -> int:
        """Number of networks in the space."""
        return math.prod(self.paths_per_block)

    @property
    def cells(self) -> list[CellRef]:
        """Every cell of the space, block by block."""
        return [
            CellRef(block=b, cell=c)
            for b, block in enumerate(self.blocks, start=1)
            for c, _ in enumerate(block.cells, start=1)
        ]

    def cell(self, ref: CellRef) -> Cell:
        return self.blocks[ref.block - 1].cells[ref.cell - 1]

    def nominal(self, block: int, arriving: int) -> int | None:
        """What the first layer of a block (from 1) counts its inner width from, where that is not what arrives."""
        rated = self.in_width(block)
        return rated if self.first_layer == "nominal" and arriving != rated else None

    def in_width(self, block: int) -> int:
        """Input channels that the cells of a block (from 1) are trained and rated with."""
        return self.first_width if block == 1 else self.blocks[block - 2].nominal_width

    @property
    def reductions(self) -> list[int]:
        """Input side over feature side after each block, the stem's stride of 2 included."""
        return list(itertools.accumulate((block.stride for block in self.blocks), lambda a, b: a * b, initial=2))[1:]

    def to_json(self) -> dict[str, Any]:
        """The space as an explicit JSON object; :func:`parse_space` reads it back."""
        return {
            "name": self.name,
            "ops": [op.to_json() for op in self.ops],
            "blocks": [
                {"stride": block.stride, "cells": [{"depth": c.depth, "width": c.width} for c in block.cells]}
                for block in self.blocks
            ],
            "stem_width": self.stem_width,
            "first_width": self.first_width,
            "head_width": self.head_width,
            **({"first_layer": self.first_layer} if self.first_layer != "previous" else {}),
            **ends_to_json(self.first_stage, self.activation),
        }


def ends_to_json(first_stage: Op | None, activation: Activation) -> dict[str, Any]:
    """What a first stage and an activation are, where they are not those that every space once had."""
    stage = {} if first_stage == SEPARABLE else {"first_stage": first_stage and first_stage.to_json()}
    return stage | ({} if activation == "silu" else {"activation": activation})


@dataclass(frozen=True, order=True)
class CellRef:
    """A cell by its block and its place in the block, both from 1. Printed and parsed as ``b2c1``."""

    block: int
    cell: int = field(default=1)

    def __str__(self) -> str:
        return f"b{self.block}c{self.cell}"

    @classmethod
    def parse(cls, text: str) -> CellRef:
        block, _, cell = text.removeprefix("b").partition("c")
        if not (block.isdigit() and cell.isdigit()):
            raise InvalidSpace(f"{text!r} does not name a cell; write it as b2c1.", param="cells")
        return cls(int(block), int(cell))
