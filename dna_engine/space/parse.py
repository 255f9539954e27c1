"""Spaces and ops from JSON: what a person wrote, refused by the place where it is wrong. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dna_engine.errors import InvalidSpace, UnknownName
from dna_engine.space.kinds import KINDS
from dna_engine.space.ops import MBCONV_OPS, OPS, WITHOUT, Op
from dna_engine.space.presets import get_space
from dna_engine.space.space import MAX_SPACE_NAME, SEPARABLE, WIDTHS, Block, Cell, Space


def parse_space(value: str | dict[str, Any]) -> Space:
    """A space from a preset's name or from an explicit object.

    The object has ``blocks`` (each ``stride`` and ``cells`` of ``depth`` and ``width``) and may have ``name``, ``ops``
    (names of the op table, or objects with the fields of :class:`Op`), ``stem_width``, ``first_width``, ``head_width``,
    ``first_layer``, ``first_stage`` (an op, or null for none) and ``activation``.

    Raises:
        InvalidSpace: the object does not describe a space; the message names the field.
        UnknownName: a preset or op that does not exist.
    """
    if isinstance(value, str):
        return get_space(value)
    given = _object(value, "space", ("blocks",), ("name", "ops", "first_layer", "first_stage", "activation", *WIDTHS))
    name = given.get("name", "custom")
    if not isinstance(name, str) or len(name) > MAX_SPACE_NAME:
        raise InvalidSpace(f"The name of a space is a text of up to {MAX_SPACE_NAME} characters.", param="space.name")
    ops = given.get("ops", [op.name for op in MBCONV_OPS])
    stage = given.get("first_stage", SEPARABLE.name)
    widths = {width: _whole(given[width], f"space.{width}") for width in WIDTHS if width in given}
    if stage is None:  # The stem's channels arrive at the blocks.
        widths.setdefault("first_width", widths.get("stem_width", Space.stem_width))
    return Space(
        name=name,
        blocks=tuple(_parse_block(block, at) for at, block in _items(given["blocks"], "space.blocks")),
        ops=tuple(parse_op(op, at) for at, op in _items(ops, "space.ops")),
        first_layer=given.get("first_layer", "previous"),
        activation=given.get("activation", "silu"),
        first_stage=None if stage is None else parse_op(stage, "space.first_stage"),
        **widths,
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
        return _parse_new_op(value, at)
    if not isinstance(value, str):
        raise InvalidSpace("An op is the name of one of the table, or an object that describes it.", param=at)
    if value not in OPS:
        raise UnknownName("op", value, OPS, param=at)
    return OPS[value]


def _parse_new_op(value: dict[str, Any], at: str) -> Op:
    kind = value.get("kind", "mbconv")
    if not isinstance(kind, str):
        raise InvalidSpace(f"The kind of an op is one of {', '.join(KINDS)}.", param=f"{at}.kind")
    if kind not in KINDS:
        raise UnknownName("kind of op", kind, KINDS, param=f"{at}.kind")
    optional = ("kind", *KINDS[kind].takes, *(("skip",) if kind == "mbconv" else ()))
    given = {field: _unpointed(field, size) for field, size in _object(value, at, ("name",), optional).items()}
    with _located(at):
        return Op(**(WITHOUT | dict(KINDS[kind].takes) | given))


def _unpointed(field: str, size: Any) -> Any:
    """A size of whole numbers that was written as 3.0 is 3."""
    return int(size) if field != "se_ratio" and isinstance(size, float) and size.is_integer() else size


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
