"""Spaces that have names, and what they cost."""

from __future__ import annotations

from starlette.testclient import TestClient

from dna_engine.space import SPACES, parse_space
from dna_engine.space.cost import cost_range
from tests.api.problems import problem


def test_every_space_is_listed_as_a_search_takes_it(shared: TestClient) -> None:
    page = shared.get("/spaces").json()
    assert page["next"] is None
    assert [found["name"] for found in page["items"]] == list(SPACES)
    for found in page["items"]:
        space = SPACES[found["name"]]
        assert parse_space(found["space"]) == space
        assert (found["networks"], found["reductions"]) == (str(space.networks), space.reductions)
        assert found["paths"] == sum(found["paths_per_block"])


def test_costs_are_those_at_the_size_asked_for(shared: TestClient) -> None:
    items = shared.get("/spaces", params={"input_size": "32", "num_classes": "10"}).json()["items"]
    for found in items:
        costs = cost_range(SPACES[found["name"]], input_size=32, num_classes=10)
        assert {name: tuple(found[name]) for name in costs} == costs


def test_a_size_that_no_search_has_is_refused(shared: TestClient) -> None:
    refused = problem(shared.get("/spaces", params={"input_size": "8"}), 422, "invalid_request")
    assert refused["errors"][0]["parameter"] == "input_size"
