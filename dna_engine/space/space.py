"""Search spaces: which networks exist, counted exactly. Torch-free.

A space is a list of blocks. A block offers one or more cells, a cell is ``depth`` layers of ``width`` channels, and
every layer chooses one op of the space. The first layer of a cell carries the block's stride and changes the width, so
ops that need equal shapes (skip) are not offered there. Blocks and cells are numbered from 1 in everything a user sees.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from dna_engine.errors import InvalidSpace, UnknownName

#: Far above any space of use; they keep what a spec can cost to check, and its sums in 64 bits, bounded.
MAX_BLOCKS, MAX_CELLS, MAX_OPS, MAX_WIDTH = 16, 8, 16, 4096

#: Over all cells of a space that is searched: four times the paper's. Every path is rated, and every selection looks at it.
MAX_PATHS = 100_000

#: Fields of a space that are widths outside its cells.
_WIDTHS = ("stem_width", "first_width", "head_width")

#: Characters of an op's name, and of a space's.
MAX_OP_NAME, MAX_SPACE_NAME = 64, 200


@dataclass(frozen=True, kw_only=True)
class Op:
    """One candidate operation of a layer: an MBConv (Sandler et al. 2018, with squeeze-excite), or a skip.

    Attributes:
        kernel: side of the depthwise convolution, odd.
        expansion: inner channels over input channels.
        se_ratio: squeeze-excite channels over the layer's *input* channels; 0 leaves it out.
        skip: the identity; only where stride is 1 and the widths agree.
    """

    name: str
    kernel: int = 3
    expansion: int = 6
    se_ratio: float = 0.25
    skip: bool = False

    def __post_init__(self) -> None:
        whole = type(self.kernel) is int and type(self.expansion) is int
        if not (isinstance(self.name, str) and isinstance(self.skip, bool) and whole):
            raise InvalidSpace(
                "An op has a name, whole numbers for kernel and expansion, and true or false for skip.",
                param="space.ops",
            )
        if not 1 <= len(self.name) <= MAX_OP_NAME:
            raise InvalidSpace(f"The name of an op has 1 to {MAX_OP_NAME} characters.", param="space.ops")
        if type(self.se_ratio) not in (int, float):
            raise InvalidSpace(f"Op {self.name!r}: se_ratio must be a number.", param="space.ops")
        if self.skip:
            return
        if not 1 <= self.kernel <= 15 or self.kernel % 2 == 0:
            raise InvalidSpace(
                f"Op {self.name!r}: the kernel must be odd and at most 15, not {self.kernel}.", param="space.ops"
            )
        if not 1 <= self.expansion <= 16:
            raise InvalidSpace(
                f"Op {self.name!r}: the expansion must be between 1 and 16, not {self.expansion}.", param="space.ops"
            )
        if self.se_ratio and not 0.1 <= self.se_ratio <= 1:  # Below, narrow layers would squeeze to no channel at all.
            raise InvalidSpace(
                f"Op {self.name!r}: se_ratio must be 0 or between 0.1 and 1, not {self.se_ratio}.", param="space.ops"
            )

    def to_json(self) -> str | dict[str, Any]:
        """The op's name when the table has it, otherwise its fields."""
        return self.name if OPS.get(self.name) == self else asdict(self)


def _mbconv(expansion: int, kernel: int) -> Op:
    return Op(name=f"mb{expansion}_{kernel}x{kernel}", kernel=kernel, expansion=expansion)


#: The named ops. A new op is one more row (a kernel, an expansion, a squeeze-excite ratio, or a skip).
OPS: dict[str, Op] = {
    op.name: op
    for op in (
        *(_mbconv(expansion, kernel) for expansion in (6, 3) for kernel in (3, 5, 7)),
        Op(name="skip", skip=True),
    )
}

#: The paper's six ops, in the order in which paths are numbered.
MBCONV_OPS: tuple[Op, ...] = tuple(op for op in OPS.values() if not op.skip)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """``depth`` layers of ``width`` output channels."""

    depth: int
    width: int

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= 8:
            raise InvalidSpace(f"A cell's depth must be between 1 and 8, not {self.depth}.", param="space.blocks")
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
        first_width: channels after the depthwise-separable stage that follows it.
        head_width: channels of the 1x1 convolution before pooling.
    """

    name: str
    blocks: tuple[Block, ...]
    ops: tuple[Op, ...] = MBCONV_OPS
    stem_width: int = 32
    first_width: int = 16
    head_width: int = 1280

    def __post_init__(self) -> None:
        if not 1 <= len(self.blocks) <= MAX_BLOCKS:
            raise InvalidSpace(
                f"A space needs between 1 and {MAX_BLOCKS} blocks, not {len(self.blocks)}.", param="space.blocks"
            )
        if len(self.ops) > MAX_OPS:
            raise InvalidSpace(f"A space takes at most {MAX_OPS} ops, not {len(self.ops)}.", param="space.ops")
        if all(op.skip for op in self.ops):
            raise InvalidSpace("A space needs at least one op that is not a skip.", param="space.ops")
        if len({op.name for op in self.ops}) < len(self.ops):
            raise InvalidSpace("Two ops of the space share a name.", param="space.ops")
        if self.reductions[-1] > 32:  # timm's builder would dilate the convolutions behind instead of striding.
            raise InvalidSpace(
                f"The blocks reduce the image {self.reductions[-1]} times; at most 32 can be built. Give fewer blocks "
                "a stride of 2.",
                param="space.blocks",
            )
        for name in _WIDTHS:
            if not 8 <= (width := getattr(self, name)) <= MAX_WIDTH or width % 8:
                raise InvalidSpace(
                    f"{name} must be a multiple of 8 from 8 to {MAX_WIDTH}, not {width}.", param=f"space.{name}"
                )

    def layer_ops(self, layer: int) -> tuple[Op, ...]:
        """Ops offered at a layer (from 0) of a cell: no skip at the first, which changes the shape."""
        return tuple(op for op in self.ops if not op.skip) if layer == 0 else self.ops

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
        }


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


def _block(stride: int, *cells: tuple[int, int]) -> Block:
    return Block(stride=stride, cells=tuple(Cell(depth=depth, width=width) for depth, width in cells))


#: The named spaces. ``dna-mbconv`` is the paper's (Li et al. 2020, table 1), ``-single`` its one-cell form.
SPACES: dict[str, Space] = {
    space.name: space
    for space in (
        Space(
            name="dna-mbconv",
            blocks=(
                _block(2, (2, 24), (3, 24), (2, 32)),
                _block(2, (2, 40), (3, 40), (4, 40)),
                _block(2, (2, 80), (3, 80), (4, 80)),
                _block(1, (3, 112), (4, 112), (4, 96)),
                _block(2, (4, 192), (5, 192), (5, 160)),
                _block(1, (1, 320)),
            ),
        ),
        Space(
            name="dna-mbconv-single",
            blocks=(
                _block(2, (2, 24)),
                _block(2, (4, 40)),
                _block(2, (4, 80)),
                _block(1, (4, 112)),
                _block(2, (4, 192)),
                _block(1, (1, 320)),
            ),
        ),
        Space(
            name="mbconv-small",
            blocks=(
                _block(2, (2, 24), (2, 32)),
                _block(2, (2, 48), (3, 48)),
                _block(2, (2, 96), (3, 96)),
            ),
            stem_width=16,
            first_width=16,
            head_width=384,
        ),
    )
}


def get_space(name: str) -> Space:
    """A preset by name.

    Raises:
        UnknownName: there is no such preset.
    """
    if name not in SPACES:
        raise UnknownName("space", name, SPACES, param="space")
    return SPACES[name]


def parse_space(value: str | dict[str, Any]) -> Space:
    """A space from a preset's name or from an explicit object.

    The object has ``blocks`` (each ``stride`` and ``cells`` of ``depth`` and ``width``) and may have ``name``, ``ops``
    (names of the op table, or objects with the fields of :class:`Op`), ``stem_width``, ``first_width``, ``head_width``.

    Raises:
        InvalidSpace: the object does not describe a space; the message names the field.
        UnknownName: a preset or op that does not exist.
    """
    if isinstance(value, str):
        return get_space(value)
    given = _object(value, "space", ("blocks",), ("name", "ops", *_WIDTHS))
    name = given.get("name", "custom")
    if not isinstance(name, str) or len(name) > MAX_SPACE_NAME:
        raise InvalidSpace(f"The name of a space is a text of up to {MAX_SPACE_NAME} characters.", param="space.name")
    ops = given.get("ops", [op.name for op in MBCONV_OPS])
    return Space(
        name=name,
        blocks=tuple(_parse_block(block, at) for at, block in _items(given["blocks"], "space.blocks")),
        ops=tuple(parse_op(op, at) for at, op in _items(ops, "space.ops")),
        **{width: _whole(given[width], f"space.{width}") for width in _WIDTHS if width in given},
    )


def _parse_block(value: Any, at: str) -> Block:
    given = _object(value, at, ("stride", "cells"))
    cells = tuple(_parse_cell(cell, where) for where, cell in _items(given["cells"], f"{at}.cells"))
    with _located(at):
        return Block(stride=_whole(given["stride"], f"{at}.stride"), cells=cells)


def _parse_cell(value: Any, at: str) -> Cell:
    given = _object(value, at, ("depth", "width"))
    with _located(at):
        return Cell(depth=_whole(given["depth"], f"{at}.depth"), width=_whole(given["width"], f"{at}.width"))


def parse_op(value: Any, at: str) -> Op:
    """An op by its name, or from its fields.

    Raises:
        InvalidSpace, UnknownName: it is none, at this place.
    """
    if isinstance(value, dict):
        with _located(at):
            return Op(**_object(value, at, ("name",), ("kernel", "expansion", "se_ratio", "skip")))
    if not isinstance(value, str):
        raise InvalidSpace("An op is the name of one of the table, or an object that describes it.", param=at)
    if value not in OPS:
        raise UnknownName("op", value, OPS, param=at)
    return OPS[value]


def _object(value: Any, at: str, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The value, where it is an object of these fields."""
    takes = f"it takes {', '.join((*needed, *optional))}"
    if not isinstance(value, dict):
        raise InvalidSpace(f"{at} must be an object; {takes}.", param=at)
    if unknown := sorted(set(value) - {*needed, *optional}):
        raise InvalidSpace(f"Unknown field {unknown[0]!r} in {at}; {takes}.", param=at)
    if missing := [field for field in needed if field not in value]:
        raise InvalidSpace(f"{at} has no {missing[0]}; {takes}.", param=at)
    return value


def _items(value: Any, at: str) -> list[tuple[str, Any]]:
    """The items of a list, each with its place."""
    if not isinstance(value, list | tuple):
        raise InvalidSpace(f"{at} must be a list.", param=at)
    return [(f"{at}.{index}", item) for index, item in enumerate(value)]


def _whole(value: Any, at: str) -> int:
    """A whole number, also one that was written as 24.0."""
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        raise InvalidSpace(f"{at} must be a whole number.", param=at)
    return int(value)


@contextmanager
def _located(at: str) -> Iterator[None]:
    """What a part of the space says of itself is said of this place; of a place inside it, it stays."""
    try:
        yield
    except InvalidSpace as error:
        inside = error.param is not None and error.param.startswith(f"{at}.")
        raise InvalidSpace(error.message, param=error.param if inside else at) from error
