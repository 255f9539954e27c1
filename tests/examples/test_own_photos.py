"""What the example for own photos says beside an accuracy."""

from __future__ import annotations

from typing import Any, cast

import pytest

from dna_client.models import SearchNetwork
from dna_engine.accuracy import Answers, judge
from examples.own_photos import caution


def network(answers: Answers | None) -> SearchNetwork:
    test: Any = judge(answers).model_dump(mode="json") if answers else None
    return cast("SearchNetwork", {"test": test})


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (None, ""),
        (Answers(images=[50, 50], right=[45, 45], given=[50, 50]), ""),
        (Answers(images=[90, 10], right=[90, 5], given=[95, 5]), "; 75.00% as the mean of the classes"),
        (Answers(images=[60, 1], right=[60, 0], given=[61, 0]), "; 50.00% as the mean of the classes; it answers one class only"),
        (Answers(images=[50, 50], right=[26, 26], given=[50, 50]), "; it is at chance"),
    ],
)  # fmt: skip
def test_what_an_accuracy_alone_would_hide_is_said(answers: Answers | None, said: str) -> None:
    assert caution(network(answers)) == said
