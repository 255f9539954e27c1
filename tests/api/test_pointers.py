"""Pointers lead into the body that was sent."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from api.pointers import field_errors, pointer


class Cell(BaseModel, extra="forbid"):
    depth: int


class Body(BaseModel, extra="forbid"):
    cells: list[Cell] = []
    space: str | dict[str, int] = ""
    labels: dict[str, str] = {}


def test_slashes_and_tildes_are_escaped() -> None:
    assert pointer(["labels", "a/b~c", 0]) == "#/labels/a~1b~0c/0"
    assert pointer([]) == "#"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"cells": [{"depth": 1}, {"depth": "x"}]}, "#/cells/1/depth"),
        ({"cells": [{}]}, "#/cells/0/depth"),
        ({"cells": [{"depth": 1, "more": 2}]}, "#/cells/0/more"),
        ({"space": 3}, "#/space"),
        ({"labels": {"a/b": 1}}, "#/labels/a~1b"),
    ],
)
def test_pointers_lead_to_the_field(body: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate(body)
    details = [detail | {"loc": ("body", *detail["loc"])} for detail in caught.value.errors()]
    assert {error["pointer"] for error in field_errors(details, body)} == {expected}


def test_a_query_parameter_is_named() -> None:
    details = [{"type": "int_parsing", "loc": ("query", "limit"), "msg": "Not a number"}]
    assert field_errors(details, None) == [{"parameter": "limit", "detail": "Not a number"}]


def test_many_errors_are_told_apart_without_comparing_each_with_each() -> None:
    class Counted(str):
        """A message that counts how often it is compared."""

        compared = 0
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return str.__eq__(self, other)  # type: ignore[arg-type]

        __hash__ = str.__hash__

        def removeprefix(self, _prefix: str, /) -> str:
            return self

    details = [{"type": "x", "loc": ("body", f"f{n // 2}"), "msg": Counted("no")} for n in range(2000)]
    assert len(field_errors(details, {})) == 1
    details = [{"type": "x", "loc": ("body", f"f{n // 2}"), "msg": Counted("no")} for n in range(2000)]
    Counted.compared = 0
    assert len(field_errors(details, {f"f{n}": 1 for n in range(1000)})) == 1000
    assert Counted.compared < 10_000
