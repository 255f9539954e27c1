"""Standard networks beside what a search finds: asked for, counted, shown, and taken for no more than they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from store.blobs import BlobStore
from store.session import Sessions
from tests.api.builders import FEW_TRIED, WEIGHTS, finish
from tests.api.problems import pointers, problem

NAMES = ["efficientnet_b0", "resnet18"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["efficientnet_b9"], "Did you mean 'efficientnet_b5'"),
        (["vit_tiny_patch16_224"], "takes images of 224 pixels"),
        (["resnet18", "resnet18"], "named twice"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_what_can(shared: TestClient, names: list[str], says: str) -> None:
    body = {"dataset": "digits", "retrain": {"references": names}}
    for path in ("/searches", "/searches/estimate"):
        response = shared.post(path, json=body)
        refused = problem(response, 422, response.json()["type"].rpartition(":")[2])
        assert pointers(refused) == ["#/retrain/references"]
        assert says in refused["detail"]


def test_the_estimate_counts_them(shared: TestClient) -> None:
    def seconds(**retrain: Any) -> dict[str, float]:
        found = shared.post("/searches/estimate", json={"dataset": "digits", "retrain": retrain}).json()["steps"]
        return {step["networks"][0]: step["device_seconds"] for step in found if step["kind"] == "train"}

    alone, beside = seconds(), seconds(references=NAMES)
    assert {*beside} - {*alone} == {*NAMES}
    assert beside["efficientnet_b0"] == beside["winner"] == alone["winner"]
    assert beside["resnet18"] > beside["winner"]


def test_they_are_shown_beside_the_winner_and_not_exported(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED | {"retrain": {"references": NAMES}}).json()["id"]
    finish(sessions, blobs, UUID(search))
    found = client.get(f"/searches/{search}").json()
    references = {network["name"]: network for network in found["architectures"] if network["role"] == "reference"}
    assert list(references) == NAMES
    assert [beside["network"] for beside in found["beside"]] == NAMES
    for name, network in references.items():
        assert (network["loss"], network["test_accuracy"]) == (None, 0.99)
        assert network["test"]["interval"]
        kept = client.get(f"/architectures/{network['id']}").json()
        assert (kept["architecture"]["model"], [file["format"] for file in kept["files"]]) == (
            name,
            ["json", "safetensors"],
        )
        path = f"/architectures/{network['id']}/download"
        assert client.get(path, params={"format": "safetensors"}).content == WEIGHTS
        assert "not exported" in problem(client.get(path, params={"format": "onnx"}), 404, "not_found")["detail"]
        [training] = kept["trainings"]
        assert client.get(f"/trainings/{training}").json()["network"] == name
        asked = {"dataset": "digits", "architecture": network["id"]}
        refused = problem(client.post("/trainings", json=asked), 422, "invalid_request")
        assert (pointers(refused), "standard network" in refused["detail"]) == (["#/architecture"], True)
        refused = problem(
            client.post("/trainings", json={"dataset": "digits", "start": {"training": training}}), 422, "invalid_spec"
        )
        assert (pointers(refused), "standard network" in refused["detail"]) == (["#/start/training"], True)
        refused = problem(client.post(f"/architectures/{network['id']}/latency"), 409, "conflict")
        assert "standard network" in refused["detail"]
    listed = client.get("/architectures", params={"role": "reference", "sort": "created"}).json()["items"]
    assert [network["name"] for network in listed] == NAMES
