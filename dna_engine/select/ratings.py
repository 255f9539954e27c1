"""The ratings file: a loss for every path of every cell of a space, as JSON. Torch-free.

``{"space": NAME or object, "input_size": 224, "num_classes": 1000, "in_chans": 3,
"ratings": [{"block": 1, "cell": 1, "losses": [...]}]}`` with the losses of a cell in the order of ``Space.paths``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dna_engine.errors import InvalidRatings
from dna_engine.jsonfile import read_object
from dna_engine.space import SPACES, CellRef, Space, parse_space


@dataclass(frozen=True, eq=False)
class Ratings:
    """What was measured: which space at which input, and a loss per path.

    Attributes:
        input_size: side in pixels of the images that networks are costed for.
        losses: per cell, float64 of shape ``(paths,)`` in the order of :meth:`Space.paths`; lower is better.

    Raises:
        InvalidRatings: a cell is missing, unknown, has a wrong number of losses or one that is not finite.
    """

    space: Space
    input_size: int
    losses: Mapping[CellRef, NDArray[np.float64]]
    num_classes: int = 1000
    in_chans: int = 3

    @classmethod
    def none(cls, space: Space, *, input_size: int, num_classes: int) -> Ratings:
        """Every loss alike, for questions of costs alone."""
        losses = {ref: np.zeros(space.path_count(space.cell(ref))) for ref in space.cells}
        return cls(space=space, input_size=input_size, num_classes=num_classes, losses=losses)

    def __post_init__(self) -> None:
        cells = self.space.cells
        if missing := [str(ref) for ref in cells if ref not in self.losses]:
            raise InvalidRatings(
                f"Ratings are missing for {', '.join(missing)}; every cell of {self.space.name} needs them.",
                param="ratings",
            )
        if unknown := sorted(set(self.losses) - set(cells)):
            raise InvalidRatings(f"{self.space.name} has no cell {unknown[0]}.", param="ratings")
        for ref in cells:
            self._check_cell(ref)

    def _check_cell(self, ref: CellRef) -> None:
        losses, expected = self.losses[ref], self.space.path_count(self.space.cell(ref))
        if losses.shape != (expected,):
            raise InvalidRatings(
                f"Cell {ref} has {losses.size} losses; its {expected} paths need one each, in the order of "
                "itertools.product over the ops of its layers.",
                param="ratings",
            )
        if not np.isfinite(losses).all():
            index = int(np.flatnonzero(~np.isfinite(losses))[0])
            raise InvalidRatings(f"Cell {ref}: the loss at index {index} is {losses[index]}.", param="ratings")

    def to_json(self) -> dict[str, Any]:
        """The ratings file; a preset is written by name. Floats keep every bit through JSON."""
        preset = SPACES.get(self.space.name) == self.space
        return {
            "space": self.space.name if preset else self.space.to_json(),
            "input_size": self.input_size,
            "num_classes": self.num_classes,
            "in_chans": self.in_chans,
            "ratings": [
                {"block": ref.block, "cell": ref.cell, "losses": self.losses[ref].tolist()} for ref in self.space.cells
            ],
        }


def load_ratings(source: str | Path | Mapping[str, Any]) -> Ratings:
    """Ratings from a file, or from its parsed JSON.

    Fields beyond the documented ones are left alone, so a file may also say where it came from.

    Raises:
        InvalidRatings: not a ratings file, or one that does not fit its space; the message names the cell.
        InvalidSpace, UnknownName: the space in it does not exist or cannot be built.
    """
    value = source if isinstance(source, Mapping) else read_object(Path(source), InvalidRatings)
    for name in ("space", "input_size", "ratings"):
        if name not in value:
            raise InvalidRatings(
                f"The ratings file has no {name!r}; it needs space, input_size and ratings.", param=name
            )
    if not isinstance(value["space"], str | dict):
        raise InvalidRatings("space must be the name of a space or an object that describes one.", param="space")
    return Ratings(
        space=parse_space(value["space"]),
        input_size=_positive(value, "input_size", 224),
        num_classes=_positive(value, "num_classes", 1000),
        in_chans=_positive(value, "in_chans", 3),
        losses=_losses(value["ratings"]),
    )


def _positive(value: Mapping[str, Any], name: str, default: int) -> int:
    number = value.get(name, default)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 10**6:
        raise InvalidRatings(f"{name} must be a whole number from 1 to a million, not {number!r}.", param=name)
    return number


def _losses(rows: Any) -> dict[CellRef, NDArray[np.float64]]:
    if not isinstance(rows, list):
        raise InvalidRatings("ratings must be a list with one object per cell.", param="ratings")
    losses: dict[CellRef, NDArray[np.float64]] = {}
    for row in rows:
        if not isinstance(row, dict) or not {"block", "cell", "losses"} <= set(row):
            raise InvalidRatings("Each of the ratings needs block, cell and losses.", param="ratings")
        block, cell = row["block"], row["cell"]
        if type(block) is not int or type(cell) is not int:
            raise InvalidRatings(f"block and cell must be whole numbers, not {block!r}, {cell!r}.", param="ratings")
        ref = CellRef(block, cell)
        if ref in losses:
            raise InvalidRatings(f"Cell {ref} is rated twice.", param="ratings")
        losses[ref] = _numbers(ref, row["losses"])
    return losses


def _numbers(ref: CellRef, values: Any) -> NDArray[np.float64]:
    """Losses as float64; numpy alone would also take strings and booleans for numbers."""
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise InvalidRatings(f"Cell {ref}: losses must be a list of numbers.", param="ratings")
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise InvalidRatings(f"Cell {ref}: a loss is too large for a float.", param="ratings") from error
