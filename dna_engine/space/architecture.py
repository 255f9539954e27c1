"""One network of a space: a JSON of a few hundred bytes that timm alone can build. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from dna_engine.errors import InvalidSpec, UnknownName
from dna_engine.space import SPACES, Cell, Op, Space, parse_op
from dna_engine.space.block_strings import block_string, width_of
from dna_engine.space.layer import Layer
from dna_engine.space.space import SEPARABLE, Activation, ends_to_json

#: The second says of blocks what their first layer counts its inner width from, where that is not what arrives; the third may have
#: ops of other kinds than the MBConv, another first stage or none, and names the activation in timm's arguments.
Format = Literal["dna-architecture/1", "dna-architecture/2", "dna-architecture/3"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is chosen in one block: a cell (from 1) and an op for each of its layers.

    Attributes:
        nominal: channels that its first layer counts its inner width from; None for those that arrive.
    """

    cell: int
    stride: int
    width: int
    ops: tuple[Op, ...]
    nominal: int | None = None


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network: stem, first stage, the chosen blocks, head and classifier.

    Attributes:
        first_stage: the layer behind the stem, if any.
        activation: behind every norm that has one, under timm's name.
        input_size: side of the square input in pixels.
    """

    blocks: tuple[Choice, ...]
    stem_width: int = 32
    first_width: int = 16
    head_width: int = 1280
    num_classes: int = 1000
    in_chans: int = 3
    input_size: int = 224
    first_stage: Op | None = SEPARABLE
    activation: Activation = "silu"

    @classmethod
    def from_choices(
        cls,
        space: Space,
        choices: Sequence[tuple[int, Sequence[Op | str]]],
        *,
        input_size: int = 224,
        num_classes: int = 1000,
        in_chans: int = 3,
    ) -> Architecture:
        """The network that takes, per block, a cell (from 1) and its ops.

        Raises:
            InvalidSpec: the choices do not lie in the space; the message names the block.
        """
        if len(choices) != len(space.blocks):
            raise InvalidSpec(
                f"{space.name} has {len(space.blocks)} blocks, {len(choices)} were chosen.", param="blocks"
            )
        blocks: list[Choice] = []
        for number, (block, (cell_number, ops)) in enumerate(zip(space.blocks, choices, strict=True), start=1):
            if not 1 <= cell_number <= len(block.cells):
                raise InvalidSpec(
                    f"Block {number} has cells 1 to {len(block.cells)}, not {cell_number}.", param="blocks"
                )
            cell = block.cells[cell_number - 1]
            chosen = _checked_ops(space, cell, ops, number)
            nominal = space.nominal(number, blocks[-1].width if blocks else space.first_width)
            blocks.append(Choice(cell=cell_number, stride=block.stride, width=cell.width, ops=chosen, nominal=nominal))
        return cls(
            blocks=tuple(blocks),
            stem_width=space.stem_width,
            first_width=space.first_width,
            head_width=space.head_width,
            num_classes=num_classes,
            in_chans=in_chans,
            input_size=input_size,
            first_stage=space.first_stage,
            activation=space.activation,
        )

    def layers(self) -> list[Layer]:
        """The layers of the blocks as built, in order; skips are left out, they build nothing."""
        return [layer for block in self.layers_by_block() for layer in block]

    def layers_by_block(self) -> list[list[Layer]]:
        """The same, block by block."""
        found: list[list[Layer]] = []
        width, size = self.first_width, (self.input_size + 1) // 2
        for block in self.blocks:
            found.append([])
            for index, op in enumerate(block.ops):
                stride, nominal = (block.stride, block.nominal) if index == 0 else (1, None)
                if not op.skip:
                    layer = Layer(
                        op=op, in_width=width, out_width=block.width, stride=stride, in_size=size, nominal=nominal
                    )
                    found[-1].append(layer)
                size = -(-size // stride)
                width = block.width
        return found

    def arch_def(self) -> list[list[str]]:
        """timm block strings, a list per stage; squeeze-excite ratios are relative to a layer's input channels."""
        blocks = [[block_string(layer) for layer in block] for block in self.layers_by_block()]
        return [*([block_string(layer)] for layer in first_stage(self, 1)), *blocks]

    @property
    def format(self) -> Format:
        """The first that can say what the network is."""
        kinds = {op.kind for block in self.blocks for op in block.ops}
        if kinds - {"mbconv"} or ends_to_json(self.first_stage, self.activation):
            return FORMATS[2]
        return FORMATS[any(block.nominal for block in self.blocks)]

    def with_classes(self, num_classes: int) -> Architecture:
        return replace(self, num_classes=num_classes)

    def to_json(self) -> dict[str, Any]:
        """The network as JSON; ``timm`` holds the arguments of ``timm.models.efficientnet.EfficientNet``."""
        return {
            "format": self.format,
            "input_size": self.input_size,
            "blocks": [
                {"cell": b.cell, "stride": b.stride, "width": b.width, "ops": [op.to_json() for op in b.ops]}
                | ({"nominal": b.nominal} if b.nominal else {})
                for b in self.blocks
            ],
            **ends_to_json(self.first_stage, "silu"),
            "timm": {
                "arch_def": self.arch_def(),
                "stem_size": self.stem_width,
                "num_features": self.head_width,
                "num_classes": self.num_classes,
                "in_chans": self.in_chans,
                **({"act_layer": self.activation} if self.format == FORMATS[2] else {}),
            },
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Architecture:
        """Reads what :meth:`to_json` writes.

        Raises:
            InvalidSpec: the object is not an architecture.
        """
        if value.get("format") not in FORMATS:
            raise InvalidSpec(
                f"Not an architecture: 'format' must be {' or '.join(map(repr, FORMATS))}.", param="format"
            )
        try:
            timm = value["timm"]
            stage = value.get("first_stage", SEPARABLE.name)
            first = None if stage is None else parse_op(stage, "first_stage")
            blocks = tuple(
                Choice(
                    cell=int(b["cell"]),
                    stride=int(b["stride"]),
                    width=int(b["width"]),
                    ops=tuple(parse_op(op, "blocks") for op in b["ops"]),
                    nominal=None if b.get("nominal") is None else int(b["nominal"]),
                )
                for b in value["blocks"]
            )
            return cls(
                blocks=blocks,
                stem_width=int(timm["stem_size"]),
                first_width=int(timm["stem_size"]) if first is None else width_of(timm["arch_def"][0][0]),
                head_width=int(timm["num_features"]),
                num_classes=int(timm["num_classes"]),
                in_chans=int(timm["in_chans"]),
                input_size=int(value["input_size"]),
                first_stage=first,
                activation=_activation(timm.get("act_layer", "silu")),
            )
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidSpec(f"Not an architecture: {type(error).__name__}: {error}.") from error


def first_stage(ends: Space | Architecture, in_size: int) -> list[Layer]:
    """The layer behind the stem, on maps of that side, or none."""
    if ends.first_stage is None:
        return []
    return [Layer(op=ends.first_stage, in_width=ends.stem_width, out_width=ends.first_width, stride=1, in_size=in_size)]


def _activation(name: Any) -> Activation:
    known: dict[Any, Activation] = {activation: activation for activation in get_args(Activation)}
    if name not in known:
        raise UnknownName("activation", str(name), known, param="timm.act_layer")
    return known[name]


def _checked_ops(space: Space, cell: Cell, ops: Sequence[Op | str], block: int) -> tuple[Op, ...]:
    if len(ops) != cell.depth:
        raise InvalidSpec(
            f"Block {block} has {cell.depth} layers in that cell, {len(ops)} ops were given.", param="blocks"
        )
    chosen = []
    for layer, op in enumerate(ops):
        offered = {o.name: o for o in space.layer_ops(layer)}
        name = op if isinstance(op, str) else op.name
        if name not in offered:
            raise UnknownName(f"op for layer {layer + 1} of block {block}", name, offered, param="blocks")
        chosen.append(offered[name])
    return tuple(chosen)


# The four published networks (Li et al. 2020, figure 5): per block a cell of dna-mbconv and its ops, as
# expansion and kernel, e.g. 35 for mb3_5x5.
_PUBLISHED: dict[str, list[tuple[int, str]]] = {
    "dna-a": [
        (2, "35 33 63"),
        (3, "33 33 35 63"),
        (3, "67 33 35 63"),
        (3, "65 35 35 65"),
        (3, "65 35 35 35 65"),
        (1, "63"),
    ],
    "dna-b": [
        (2, "33 35 67"),
        (2, "67 35 67"),
        (3, "65 35 35 63"),
        (3, "65 35 35 65"),
        (2, "67 35 35 35 67"),
        (1, "63"),
    ],
    "dna-c": [(1, "65 63"), (3, "65 65 63 65"), (3, "65 63 65 65"), (2, "63 65 65 35"), (1, "65 35 65 65"), (1, "63")],
    "dna-d": [
        (2, "67 65 67"),
        (3, "67 67 67 67"),
        (3, "67 65 65 67"),
        (2, "67 65 67 65"),
        (2, "67 65 65 65 67"),
        (1, "63"),
    ],
}


#: Their names.
PUBLISHED = tuple(_PUBLISHED)


def published(name: str, *, input_size: int = 224) -> Architecture:
    """DNA-a to DNA-d, as networks of the space ``dna-mbconv``.

    Raises:
        UnknownName: there is no such network.
    """
    if name not in _PUBLISHED:
        raise UnknownName("network", name, _PUBLISHED)
    choices = [(cell, [f"mb{op[0]}_{op[1]}x{op[1]}" for op in ops.split()]) for cell, ops in _PUBLISHED[name]]
    return Architecture.from_choices(SPACES["dna-mbconv"], choices, input_size=input_size)
