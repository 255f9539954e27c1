"""Costs as people write them: ``350000000``, ``350e6``, ``"350M"``, ``"5.3M"``, ``"1.2G"``; taken exactly or not at all. Torch-free."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_PATTERN = r"^[0-9][0-9_]*(\.[0-9]+)?([eE]\+?[0-9]{1,2})? ?[kKmMgGbB]?$"
_LONGEST = 40
_SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}

_LARGEST = 2**62
_SHOWN = 50


def count(text: str) -> int | None:
    """The whole number that a text says; None where it says none."""
    if len(text) > _LONGEST or re.fullmatch(_PATTERN, text) is None:
        return None
    number, suffix = (text[:-1], text[-1].lower()) if text[-1].isalpha() else (text, "")
    value = Fraction(number.replace("_", "").strip()) * _SUFFIXES[suffix]
    return int(value) if value.denominator == 1 else None


def _read(value: Any) -> Any:
    """What numbers and texts say."""
    found = value
    if isinstance(value, str):
        found = count(value.strip(" "))
    elif isinstance(value, bool | list | dict):
        found = None
    elif isinstance(value, float):  # As it was written: 1e23 is no sum of powers of two.
        found = int(Fraction(repr(value))) if value.is_integer() else None
    if found is None:
        raise PydanticCustomError(
            "count",
            'Write a whole number, such as 350000000, 350e6, "350M", "5.3M" or "1.2G", not {given}',
            {"given": _shown(value)},
        )
    return found


def _shown(value: Any) -> str:
    """What was given, as whoever wrote it in JSON knows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return repr(value) if len(str(value)) <= _SHOWN else f"{str(value)[:_SHOWN]!r}..."


@dataclass(frozen=True)
class AsWritten:
    """Of an int: texts and floats that are whole numbers are taken too."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        number = handler(schema)
        if handler.mode == "serialization":
            return number
        return {"anyOf": [number, {"type": "string", "pattern": _PATTERN, "maxLength": _LONGEST, "examples": ["5.3M"]}]}


Count = Annotated[int, Field(ge=0, le=_LARGEST), AsWritten()]

#: An upper limit: nothing costs 0.
Limit = Annotated[int, Field(gt=0, le=_LARGEST), AsWritten()]
