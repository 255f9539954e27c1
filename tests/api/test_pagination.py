"""Cursors are opaque, and nothing but a cursor is taken for one."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.errors import Invalid
from api.pagination import decode, encode
from tests.api.builders import new_tuning
from tests.api.problems import problem


@pytest.mark.parametrize("position", ["", "a", "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10", "tf_efficientnet_b7", "é/+"])
def test_a_cursor_comes_back_as_it_was(position: str) -> None:
    assert decode(encode(position)) == position


@pytest.mark.parametrize("cursor", ["ä", "a b", "%%%", "AAAAA", "_w"])
def test_other_texts_are_refused(cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        decode(cursor)


def test_the_cursor_of_another_list_is_refused(shared: TestClient) -> None:
    body = problem(shared.get("/searches", params={"cursor": encode("resnet18")}), 422, "invalid_request")
    assert body["errors"][0]["parameter"] == "cursor"
    problem(shared.get("/searches", params={"limit": 0}), 422, "invalid_request")


@pytest.mark.parametrize("number", [-1, 2**31, 2**70])
def test_trials_lie_behind_numbers_that_a_trial_may_have(shared: TestClient, number: int) -> None:
    network = shared.post("/architectures", json={"architecture": "dna-a"}).json()["id"]
    tuning = new_tuning(shared, network, trials=1)["id"]
    response = shared.get(f"/tunings/{tuning}/trials", params={"cursor": encode(str(number))})
    assert problem(response, 422, "invalid_request")["errors"][0]["parameter"] == "cursor"


def test_pages_hold_every_row_once(client: TestClient) -> None:
    made = [client.post("/searches", json={"dataset": "digits", "seed": seed}).json()["id"] for seed in range(5)]
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/searches", params=params).json()
        seen += [search["id"] for search in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made[::-1]
