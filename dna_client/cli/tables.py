"""Tables that fit where they are shown: on a narrow terminal ids are shortened and columns left out; a pipe gets everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

#: The last digits of an id tell things apart: the first are a time, alike for all that was made within a minute.
SHORT_ID = 8

#: So narrow may the column that wraps become, for the sake of the others.
_WRAPPED = 24
_GAP = 2


@dataclass(frozen=True)
class FittingTable:
    """A plain table that finds its form when it is shown, by the width there is.

    Attributes:
        right: columns of numbers.
        ids: columns of ids, shortened first.
        droppable: columns that are left out, in this order, when that is not enough, even with the widest text wrapped.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right: Sequence[str] = ()
    ids: Sequence[str] = ()
    droppable: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        for form in self._forms():
            if form.width <= options.max_width:
                break
        yield form.table(self.right)

    def _forms(self) -> Iterator[_Form]:
        """From the whole table to the narrowest."""
        yield self._form((), short=False, wrapped=False)
        for dropped in range(len(self.droppable) + 1):
            yield self._form(self.droppable[:dropped], short=True, wrapped=True)

    def _form(self, without: Sequence[str], *, short: bool, wrapped: bool) -> _Form:
        columns = [column for column in self.columns if column not in without]
        places = [self.columns.index(column) for column in columns]
        shortened = {self.columns.index(column) for column in self.ids} if short else set()
        rows = [[_shown(row[place], short=place in shortened) for place in places] for row in self.rows]
        texts = [place for place, column in enumerate(columns) if column not in (*self.right, *self.ids)]
        return _Form(columns, rows, texts if wrapped else [])


@dataclass(frozen=True)
class _Form:
    """The table with these columns; the widest of the columns ``texts`` may take several lines, never a number or an id."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]
    texts: Sequence[int]

    @cached_property
    def _widths(self) -> list[int]:
        return [
            max(cell_len(name), *(row[at].cell_len for row in self.rows), 0) for at, name in enumerate(self.columns)
        ]

    @property
    def _wraps(self) -> int | None:
        return max(self.texts, key=self._widths.__getitem__, default=None)

    @property
    def width(self) -> int:
        """Least characters in a line."""
        least = [min(width, _WRAPPED) if place == self._wraps else width for place, width in enumerate(self._widths)]
        return sum(least) + _GAP * (len(least) - 1)

    def table(self, right: Sequence[str]) -> Table:
        made = Table(box=None, pad_edge=False, header_style="dim")
        for place, column in enumerate(self.columns):
            aligned: Literal["left", "right"] = "right" if column in right else "left"
            made.add_column(column, justify=aligned, no_wrap=place != self._wraps, overflow="fold")
        for row in self.rows:
            made.add_row(*row)
        return made


def short_id(text: str) -> str:
    return text[-SHORT_ID:]


def _shown(cell: Any, *, short: bool) -> Text:
    if isinstance(cell, Text):
        return cell
    return Text(short_id(str(cell)) if short else str(cell))
