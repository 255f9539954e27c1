"""Teachers with their blocks."""

from __future__ import annotations

from starlette.testclient import TestClient

from dna_engine.catalogue import catalogue


def test_the_papers_teacher(shared: TestClient) -> None:
    (teacher,) = shared.get("/teachers", params={"q": "tf_efficientnet_B7"}).json()["items"]
    blocks = [(block["module"], block["channels"], block["reduction"]) for block in teacher["blocks"]]
    assert blocks == [
        ("blocks.1", 48, 4), ("blocks.2", 80, 8), ("blocks.3", 160, 16),
        ("blocks.4", 224, 16), ("blocks.5", 384, 32), ("blocks.6", 640, 32),
    ]  # fmt: skip
    assert [block["stride"] for block in teacher["blocks"]] == [4, 2, 2, 1, 2, 1]


def test_pages_hold_the_catalogue(shared: TestClient) -> None:
    names, params = [], {"limit": "7"}
    while True:
        page = shared.get("/teachers", params=params).json()
        names += [teacher["name"] for teacher in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert names == sorted(catalogue())


def test_a_family_is_found_and_nonsense_is_not(shared: TestClient) -> None:
    found = shared.get("/teachers", params={"q": "resnet"}).json()["items"]
    assert found
    assert all("resnet" in teacher["name"] + teacher["family"].lower() for teacher in found)
    assert shared.get("/teachers", params={"q": "a teacher like no other"}).json() == {"items": [], "next": None}


def test_a_model_is_found_by_the_tag_of_its_weights(shared: TestClient) -> None:
    (teacher,) = shared.get("/teachers", params={"q": "resnet18.a1_in1k"}).json()["items"]
    assert teacher["name"] == "resnet18"
    assert teacher["tags"][0] == "a1_in1k"
    assert "a2_in1k" in teacher["tags"]
