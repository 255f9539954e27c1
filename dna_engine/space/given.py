"""A network that comes from elsewhere: a published one by its name, or a description that people sent. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from dna_engine.errors import InvalidSpace, InvalidSpec
from dna_engine.space.architecture import Architecture, published
from dna_engine.space.document import CLASSES, SIZES, GivenDocument
from dna_engine.space.space import MAX_WIDTH, Block, Cell, Space


def given(value: str | Mapping[str, Any]) -> Architecture:
    """The network that a published name (``dna-b``) or an architecture JSON means.

    Raises:
        UnknownName: there is no published network of that name.
        InvalidSpec: the object is no architecture, or one that no space could have; the message says why.
    """
    if isinstance(value, str):
        return published(value)
    network = Architecture.from_json(value)
    _check(network)
    _check_numbers(value)
    built = network.to_json()["timm"]
    if differing := [name for name in built if built[name] != value["timm"].get(name, "silu")]:
        raise InvalidSpec(
            f"'timm' does not say what 'blocks' do: its {differing[0]} is another. Send the JSON as it was downloaded.",
            param=f"timm.{differing[0]}",
        )
    return network


def _check_numbers(value: Mapping[str, Any]) -> None:
    """Numbers must be numbers: what reads kept networks takes a text that looks like one too."""
    try:
        GivenDocument.model_validate(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        raise InvalidSpec(f"Not an architecture: {at}: {first['msg']}.", param=at) from error


def _check(network: Architecture) -> None:
    """As a space of that one network is checked."""
    cells = tuple(
        Block(stride=block.stride, cells=(Cell(depth=len(block.ops), width=block.width),)) for block in network.blocks
    )
    ops = dict.fromkeys(op for block in network.blocks for op in block.ops)
    space = Space(
        name="given",
        blocks=cells,
        ops=tuple(ops),
        stem_width=network.stem_width,
        first_width=network.first_width,
        head_width=network.head_width,
        first_stage=network.first_stage,
        activation=network.activation,
    )
    Architecture.from_choices(space, [(1, block.ops) for block in network.blocks])
    numbers = [block.nominal for block in network.blocks if block.nominal is not None]
    if not all(1 <= nominal <= MAX_WIDTH for nominal in numbers):
        raise InvalidSpace(f"A nominal width must be between 1 and {MAX_WIDTH}.", param="blocks")
    if network.in_chans != 3:
        raise InvalidSpec("Images have 3 channels: red, green and blue.", param="timm.in_chans")
    for name, value, allowed in (
        ("input_size", network.input_size, SIZES),
        ("timm.num_classes", network.num_classes, CLASSES),
    ):
        if value not in allowed:
            raise InvalidSpec(
                f"The {name.rpartition('.')[2]} must be between {allowed[0]:,} and {allowed[-1]:,}.", param=name
            )
