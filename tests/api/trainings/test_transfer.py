"""A training that begins with the weights of another: whose they may be, and that they are its own from then on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from dna_engine.plans import Phase
from dna_engine.space.architecture import published
from store import artifacts
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.builders import FEW_TRIED, WEIGHTS, birds, finish, new_training
from tests.api.conftest import Finished
from tests.api.problems import pointers, problem

NOBODY = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"


def begun(client: TestClient, training: str, **fields: Any) -> dict[str, Any]:
    response = client.post("/trainings", json={"dataset": "digits", "start": {"training": training}, **fields})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


@pytest.fixture
def trained_before(client: TestClient, sessions: Sessions, blobs: BlobStore) -> str:
    """A training alone of a published network that has succeeded."""
    training = new_training(client, "dna-b", input_size=32)["id"]
    finish(sessions, blobs, UUID(training))
    return str(training)


def test_it_is_of_the_same_network_and_keeps_the_head_where_the_classes_are_the_same(
    client: TestClient, sessions: Sessions, trained_before: str
) -> None:
    before = client.get(f"/trainings/{trained_before}").json()
    birds(sessions)
    for fields, keeps, size in (({}, True, 32), ({"dataset": "birds", "input_size": 48}, False, 48)):
        made = begun(client, trained_before, **fields)
        spec = made["spec"]
        assert (made["architecture_id"], spec["start"], spec["input_size"]) == (
            before["architecture_id"],
            "transferred",
            size,
        )
        assert spec["transferred"]["training"] == trained_before
        assert (spec["transferred"]["dataset"], spec["transferred"]["keeps_head"]) == ("digits", keeps)
        assert spec["architecture"]["blocks"] == before["spec"]["architecture"]["blocks"]
    again = begun(client, trained_before, start={"training": trained_before, "head": "new"})
    assert not again["spec"]["transferred"]["keeps_head"]
    named = begun(client, trained_before, architecture=published("dna-b").to_json())
    assert named["spec"]["input_size"] == 224


def test_the_weights_stay_though_their_training_is_deleted(
    client: TestClient, sessions: Sessions, blobs: BlobStore, trained_before: str
) -> None:
    made = begun(client, trained_before)
    assert client.delete(f"/trainings/{trained_before}").status_code == 204
    with transaction(sessions) as session:
        kept = artifacts.named(session, UUID(made["id"]), ["start.safetensors"])["start.safetensors"]
        assert b"".join(blobs.read(artifacts.blob(kept))) == WEIGHTS
    finish(sessions, blobs, UUID(made["id"]))
    assert client.get(f"/trainings/{made['id']}").json()["state"] == "succeeded"
    assert begun(client, made["id"])["spec"]["transferred"]["training"] == made["id"]


def test_the_winner_and_control_of_a_search_have_weights_too(finished: Finished) -> None:
    for role in ("winner", "control"):
        network = finished.network(role)
        [training] = finished.client.get(f"/architectures/{network}").json()["trainings"][:1]
        made = begun(finished.client, training)
        assert (made["architecture_id"], made["spec"]["transferred"]["keeps_head"]) == (network, True)


def test_whose_weights_cannot_be_taken(
    client: TestClient, sessions: Sessions, blobs: BlobStore, trained_before: str
) -> None:
    def refused(training: Any, status: int, kind: str, **fields: Any) -> dict[str, Any]:
        body = {"dataset": "digits", "start": {"training": training}, **fields}
        return problem(client.post("/trainings", json=body), status, kind)

    for unknown in (NOBODY, "winner", ""):
        body = refused(unknown, 422, "invalid_spec")
        assert (pointers(body), "There is no training" in body["detail"]) == (["#/start/training"], True)
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    assert "There is no training" in refused(search, 422, "invalid_spec")["detail"]
    other = refused(trained_before, 422, "invalid_spec", architecture="dna-c")
    assert (pointers(other), "another network" in other["detail"]) == (["#/architecture"], True)
    waiting = new_training(client, "dna-b")["id"]
    assert "is queued" in refused(waiting, 409, "illegal_transition")["detail"]
    finish(sessions, blobs, UUID(waiting), until=Phase.TRAIN)
    assert "is running" in refused(waiting, 409, "illegal_transition")["detail"]
    with transaction(sessions) as session:
        artifacts.remove(session, UUID(trained_before), "network/weights.safetensors")
    assert "no longer kept" in refused(trained_before, 409, "illegal_transition")["detail"]
    refused(trained_before, 422, "invalid_request", dataset=None)
