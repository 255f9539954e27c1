"""A field that does not exist is refused with the one that was meant."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dna_engine import fields
from dna_engine.spec import SearchSpec, TrainingSpec


def said(written: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        SearchSpec.model_validate({"dataset": "digits", **written})
    return {".".join(map(str, error["loc"])): error["msg"] for error in refused.value.errors()}


@pytest.mark.parametrize(
    ("written", "field", "meant"),
    [
        ({"buget": {}}, "buget", "Did you mean budget?"),
        ({"budget": {"flop": 1}}, "budget.flop", "Did you mean flops?"),
        ({"flops": 1}, "flops", "Did you mean budget.flops?"),
        ({"epochs": 1}, "epochs", "Did you mean teacher.epochs, training.epochs, select.epochs or retrain.epochs?"),
        ({"colour": "red"}, "colour", "There is no such field"),
    ],
)
def test_an_unknown_field_is_told_from_the_nearest(written: dict[str, Any], field: str, meant: str) -> None:
    assert said(written)[field].endswith(meant)


def test_a_training_has_its_own_fields() -> None:
    with pytest.raises(ValidationError, match=r"Did you mean epochs\?"):
        TrainingSpec.model_validate({"dataset": "digits", "architecture": "a", "epoch": 1})


def test_numbers_out_of_range_are_told_in_words_and_other_errors_stay_as_they_are() -> None:
    errors = said({"budget": {"flops": -1, "x": 1}, "labels": {"{k}": 1}, "block_weights": [-1.0], "name": "n" * 201})
    assert errors == {
        "budget.flops": "must be above 0",
        "budget.x": "There is no such field",
        "labels.{k}": "Input should be a valid string",
        "block_weights.0": "must be at least 0",
        "name": "String should have at most 200 characters",
    }
    assert said({"block_weights": [0.0]}) == {"block_weights": "At least one block must have a weight above 0"}
    assert said({"input_size": 3_000, "retrain": {"label_smoothing": 1.0}}) == {
        "input_size": "must be at most 1,024",
        "retrain.label_smoothing": "must be below 1",
    }


def test_what_is_no_object_or_count_is_told_what_to_write() -> None:
    number = 'Write a whole number, such as 350000000, 350e6, "350M", "5.3M" or "1.2G", not '
    assert said({"budget": "1M"}) == {"budget": 'Write an object such as {"flops": "350M"}'}
    assert said({"rating": 3}) == {
        "rating": 'Write an object such as {"images": ..., "batch_size": ..., "memory_mb": ...}'
    }
    assert said({"budget": {"flops": True}}) == {"budget.flops": f"{number}true"}
    assert said({"budget": {"params": [1]}}) == {"budget.params": f"{number}a list"}


def test_a_label_has_a_key() -> None:
    assert said({"labels": {"": "x"}}) == {"labels..[key]": "A label needs a key: by none it could not be found"}


def test_advice_is_looked_up_for_some_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def meant(_model: object, name: str) -> str:
        asked.append(name)
        return ""

    monkeypatch.setattr(fields, "_meant", meant)
    assert len(said({f"field{number}": 1 for number in range(500)})) == 500
    assert len(asked) == 20
