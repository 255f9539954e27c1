"""What commands print: JSON for programs, tables and lines for people. Results on stdout, everything said beside on stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from dna_client.cli.tables import FittingTable
from dna_client.download import Downloaded
from dna_client.errors import ApiError, ClientError
from dna_client.visible import visible, visible_json, visible_lines

#: rich takes NO_COLOR at its word and still prints bold and dim; who asks for no colour wants plain text.
_COLOURS: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"


class SafeConsole(Console):
    """A console that no text can steer, whatever way it comes: as a last resort behind :func:`dna_client.visible.visible`, which also keeps what
    is said in its line.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible_lines(segment.text), segment.style)


OUT = SafeConsole(highlight=False, markup=False, emoji=False, color_system=_COLOURS)
ERR = SafeConsole(stderr=True, highlight=False, markup=False, emoji=False, color_system=_COLOURS)
for _console in (OUT, ERR):  # A terminal would break lines in the middle of a word, a pipe wants them whole.
    _console.soft_wrap = not _console.is_terminal

#: For tables in a pipe or a file: whoever reads them there can use every column, and ids in full.
_WIDE = SafeConsole(highlight=False, markup=False, emoji=False, width=100_000)

STATE_STYLES: Mapping[str, str] = {
    "queued": "yellow",
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "magenta",
}


def print_json(value: Any, *, one_line: bool = False) -> None:
    """Plain JSON: no colours, no wrapping, so that programs can read it."""
    print(visible_json(json.dumps(value, ensure_ascii=False, indent=None if one_line else 2)), flush=one_line)


def print_error(error: ClientError) -> None:
    """One line; where several fields are wrong, one more for each."""
    fields = error.errors if isinstance(error, ApiError) else []
    several = len(fields) > 1
    message = visible(error.message) if isinstance(error, ApiError) else error.message
    ERR.print(Text.assemble(("error: ", "bold red"), "Several fields are wrong:" if several else message))
    for field in fields:
        if several or field.detail.rstrip(".") not in error.message:
            ERR.print(Text(f"  {visible(field.where) or 'body'}: {visible(field.detail)}"))


def warn(console: Console, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        console.print(f"Warning: {sentence}", markup=False, style="yellow")


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    ids: Sequence[str] = (),
    droppable: Sequence[str] = (),
) -> FittingTable:
    """A table that fits the terminal; see :class:`FittingTable` for what ``right``, ``ids`` and ``droppable`` name."""
    return FittingTable(columns, rows, right, ids, droppable)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    ids: Sequence[str] = (),
    droppable: Sequence[str] = (),
) -> None:
    show(table(columns, rows, right=right, ids=ids, droppable=droppable))


def show(tables: RenderableType) -> None:
    """Prints tables to standard output: as wide as the terminal, or whole where there is none."""
    if OUT.is_terminal:
        OUT.print(tables, soft_wrap=False)
    else:
        _WIDE.print(tables)


def print_files(files: Sequence[Downloaded]) -> None:
    rows = [(file.sha256, size(file.size), str(file.path)) for file in files]
    print_table(("sha256", "size", "file"), rows, right=("size",), droppable=("sha256",))


def state(name: str) -> Text:
    return Text(name, STATE_STYLES.get(name, ""))


def count(value: int | None) -> str:
    """A cost, in full: ``3,412,992``."""
    return "" if value is None else f"{value:,}"


def many(number: int, what: str) -> str:
    """``1 epoch``, ``2 epochs``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f}%"


def loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def duration(seconds: float | None) -> str:
    """``4.2 s``, ``1 m 05 s``, ``2 h 10 m``; nothing when it is not known."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} m"


def size(octets: int) -> str:
    for unit in ("B", "kB", "MB"):
        if octets < 1000:
            return f"{octets:.4g} {unit}"
        octets /= 1000  # type: ignore[assignment]
    return f"{octets:.4g} GB"


def ops(architecture: Mapping[str, Any]) -> str:
    """A network in one line: per block its cell and its ops, such as ``c2 mb6_3x3 mb3_5x5``."""
    return "  ".join(f"c{block['cell']} {' '.join(map(op_name, block['ops']))}" for block in architecture["blocks"])


def op_name(op: str | Mapping[str, Any]) -> str:
    return op if isinstance(op, str) else str(op["name"])
