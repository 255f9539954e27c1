"""Counts as people write them: exact, or refused in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from dna_engine.spec.search import Budget


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (350_000_000, 350_000_000),
        (350e6, 350_000_000),
        (4e18, 4 * 10**18),
        ("350000000", 350_000_000),
        ("350e6", 350_000_000),
        ("350E+6", 350_000_000),
        ("1M", 1_000_000),
        ("5.3M", 5_300_000),
        ("5.3m", 5_300_000),
        ("4.35M", 4_350_000),  # 4.35 times a million is not whole in floating point.
        ("1.2G", 1_200_000_000),
        ("2B", 2_000_000_000),
        ("4_000_000", 4_000_000),
        (" 640 k ", 640_000),
        ("4611686018427387903", 2**62 - 1),
    ],
)
def test_a_count_is_taken_exactly(written: Any, value: int) -> None:
    assert Budget(flops=written).flops == value


@pytest.mark.parametrize(
    "written",
    [
        "",
        "M",
        "nan",
        "inf",
        "1e400",
        "-1M",
        "0x10",
        "5.3",
        "1.5e0",
        "\u0661M",
        "5,3M",
        "1 2",
        "9" * 41,
        "5.3MM",
        "1e-3M",
    ],
)
def test_what_is_no_count_is_told_how_to_write_one(written: str) -> None:
    with pytest.raises(ValidationError, match=r'Write a whole number, such as .*"5\.3M"'):
        Budget.model_validate({"flops": written})


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (1.5, "Write a whole number"),
        (float("nan"), "Write a whole number"),
        (1e30, "at most 4,611,686,018,427,387,904"),
        ("9e90", "at most 4,611,686,018,427,387,904"),
        ("0M", "above 0"),
        (True, "not true"),
        ([1], "not a list"),
    ],
)
def test_other_refusals(written: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Budget.model_validate({"flops": written})


def test_the_schema_says_both_and_answers_are_numbers() -> None:
    schemas = (Budget.model_json_schema(mode=mode)["properties"]["flops"] for mode in ("validation", "serialization"))
    (number, text, null), given = (schema["anyOf"] for schema in schemas)
    assert number == {"type": "integer", "exclusiveMinimum": 0, "maximum": 2**62}
    assert (text["type"], bool(re.fullmatch(text["pattern"], "5.3M"))) == ("string", True)
    assert given == [number, null] == [number, {"type": "null"}]
