"""Tables lose what matters least first, and no more than they must."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dna_client.cli.tables import FittingTable

TABLE = FittingTable(
    ("id", "size", "when", "name"),
    [("0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10", "1,234", "yesterday", "a name of some words that has to be wrapped")],
    right=("size",),
    ids=("id",),
    droppable=("when", "size"),
)


def shown(columns: int, table: FittingTable = TABLE) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=columns).print(table)
    return [line.rstrip() for line in file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("columns", "head"),
    [
        (200, "id                                     size  when       name"),
        (80, "id         size  when       name"),
        (45, "id         size  name"),
        (36, "id        name"),
        (20, "id        name"),
    ],
)
def test_ids_are_shortened_then_columns_dropped_then_the_last_wraps(columns: int, head: str) -> None:
    lines = shown(columns)
    assert lines[0] == head
    assert max(map(len, lines)) <= columns
    assert ("0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10" in lines[1]) == (columns == 200)
    assert "6f3f7a10" in lines[1]
    assert "[b]" in "".join(_of_markup())


@pytest.mark.parametrize("columns", [80, 30])
def test_a_long_name_in_front_takes_nothing_from_the_numbers(columns: int) -> None:
    rows = [("photos-of-" * 12, "ready", "120"), ("digits", "ready", "10")]
    lines = shown(columns, FittingTable(("name", "state", "classes"), rows, right=("classes",), droppable=("state",)))
    assert max(map(len, lines)) <= columns
    assert [line.split()[-1] for line in (lines[0], lines[1], lines[-1])] == ["classes", "120", "10"]
    assert "".join(line.split()[0] for line in lines[1:-1]) == "photos-of-" * 12


def _of_markup() -> list[str]:
    """What people name things is no markup."""
    file = io.StringIO()
    Console(file=file, width=80).print(FittingTable(("name",), [("[b]old",)]))
    return file.getvalue().splitlines()
