"""Datasets: the built-in one is there from the start."""

from __future__ import annotations

from starlette.testclient import TestClient

from dna_engine.images.info import DatasetInfo
from store import datasets
from store.session import Sessions, transaction
from tests.api.problems import problem


def test_digits_ships_with_the_service(shared: TestClient) -> None:
    (digits,) = shared.get("/datasets").json()["items"]
    assert (digits["name"], digits["kind"], digits["state"]) == ("digits", "builtin", "ready")
    assert (digits["num_classes"], digits["num_train"], digits["num_test"], digits["image_size"]) == (10, 1437, 360, 8)
    assert shared.get("/datasets/digits").json() == digits
    assert shared.get(f"/datasets/{digits['id']}").json() == digits


def test_what_does_not_exist(shared: TestClient) -> None:
    problem(shared.get("/datasets/cats"), 404, "not_found")
    problem(shared.get("/datasets/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"), 404, "not_found")


def test_where_images_lie_is_not_told(client: TestClient, sessions: Sessions) -> None:
    info = DatasetInfo(
        name="birds", kind="folder", location="/srv/birds", num_classes=2, num_train=6000, num_test=100, image_size=224
    )
    with transaction(sessions) as session:
        datasets.create(session, info, fingerprint="f")
    page = client.get("/datasets", params={"limit": 1}).json()
    assert [item["name"] for item in page["items"]] == ["birds"]
    assert "/srv" not in client.get("/datasets/birds").text
    rest = client.get("/datasets", params={"cursor": page["next"]}).json()
    assert [item["name"] for item in rest["items"]] == ["digits"]
    search = client.post("/searches", json={"dataset": "birds"})
    assert search.status_code == 201
    assert "/srv" not in search.text
