"""The table of recipes, as it is listed, and as an estimate chooses from it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from dna_engine import recipes
from dna_engine.recipes import RECIPES
from dna_engine.spec import RecipeSpec


def test_every_recipe_is_listed_with_its_numbers(shared: TestClient) -> None:
    page = shared.get("/recipes").json()
    assert page["next"] is None
    assert [found["name"] for found in page["items"]] == list(RECIPES)
    for found in page["items"]:
        assert found["numbers"] == vars(RECIPES[found["name"]].numbers)
        assert RecipeSpec.model_validate({"recipe": found["name"], **found["numbers"]})
    quick, *_ = page["items"]
    assert (quick["aliases"], quick["default_from"], quick["default_below"]) == (["adamw"], 0, None)


@pytest.mark.parametrize(
    ("retrain", "name", "why"),
    [
        ({}, "quick", "quick is the default for any number of images; there are 1,437."),
        ({"recipe": "adamw"}, "quick", "quick was asked for."),
        ({"recipe": "modern"}, "modern", "modern was asked for."),
    ],
)
def test_an_estimate_says_which_is_taken_and_why(
    shared: TestClient, retrain: dict[str, Any], name: str, why: str
) -> None:
    found = shared.post("/searches/estimate", json={"dataset": "digits", "retrain": retrain}).json()
    assert found["recipe"] == {"name": name, "why": why}
    assert found["spec"]["retrain"]["recipe"] == name


def test_a_default_by_the_number_of_images(shared: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "DEFAULT_FROM", ((0, "quick"), (1_000, "small"), (5_000, "quick")))
    spans = {
        item["name"]: (item["default_from"], item["default_below"]) for item in shared.get("/recipes").json()["items"]
    }
    assert spans == {"quick": (0, 1_000), "small": (1_000, 5_000), "modern": (None, None), "paper": (None, None)}
    found = shared.post("/searches/estimate", json={"dataset": "digits"}).json()
    assert found["recipe"] == {
        "name": "small",
        "why": "small is the default for 1,000 images and more; there are 1,437.",
    }
