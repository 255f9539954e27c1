"""Trainings that are asked for: what is taken, what is refused and why."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from api.trainings import service
from api.trainings.examples import NETWORK, SPECS
from dna_engine.space import parse_op
from dna_engine.space.architecture import FORMATS, published
from dna_engine.spec import ResolvedTraining, resolve_training
from store import artifacts, jobs
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.tables import Architecture
from tests.api.builders import birds, finish, new_training, winner
from tests.api.conftest import Finished
from tests.api.problems import pointers, problem

NOBODY = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"
SKIP = parse_op("skip", "ops")
DESCRIBED = published("dna-a", input_size=32).to_json()


def network_of(trained: Finished) -> str:
    """The network that was selected, not trained by its search."""
    network: str = trained.get("").json()["architecture_id"]
    return network


def alone(client: TestClient) -> list[str]:
    """Trainings that are part of no search."""
    trainings = client.get("/trainings").json()["items"]
    return [training["id"] for training in trainings if training["search_id"] is None]


@pytest.mark.parametrize("name", SPECS)
def test_the_examples_are_accepted(trained: Finished, name: str) -> None:
    document = trained.client.get("/openapi.json").json()["paths"]["/trainings"]["post"]
    assert document["requestBody"]["content"]["application/json"]["examples"][name]["value"] == SPECS[name]["value"]
    sent = copy.deepcopy(SPECS[name]["value"])
    if sent.get("architecture") == NETWORK:
        sent["architecture"] = network_of(trained)
    if isinstance(sent.get("start"), dict):
        sent["start"]["training"] = trained.id
    response = trained.client.post("/trainings", json=sent)
    assert response.status_code == 201, response.text
    spec = response.json()["spec"]
    written = {key: value for key, value in sent.items() if key not in ("architecture", "dataset")}
    assert {key: spec[key] for key in written} == written | ({"start": "transferred"} if name == "transfer" else {})


def test_a_new_training_is_queued_and_can_be_read_at_once(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    network = winner(client, sessions, blobs)
    body = {"architecture": network, "dataset": "digits", "labels": {"team": "vision"}}
    response = client.post("/trainings", json=body)
    training = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"/trainings/{training['id']}")
    assert client.get(response.headers["location"]).json() == training
    assert (training["state"], training["phase"], training["progress"]) == ("queued", "train", 0.0)
    search = client.get(f"/architectures/{network}").json()["search"]
    called = f"Winner of {search}: digits, {training['spec']['epochs']} epochs"
    assert (training["name"], training["labels"]) == (called, {"team": "vision"})
    assert [client.post("/trainings", json=body).json()["name"] for _ in range(2)] == [f"{called} (2)", f"{called} (3)"]
    assert (training["architecture_id"], training["search_id"], training["network"]) == (network, None, "network")
    assert (training["test_accuracy"], training["test"], training["values"], training["error"]) == (
        None,
        None,
        {},
        None,
    )
    assert UUID(training["id"]).version == 7
    [step] = training["steps"]
    assert (step["key"], step["kind"], step["state"], step["network"]) == ("train", "train", "queued", "network")
    assert [file["format"] for file in training["files"]] == ["json"]


def test_a_training_on_its_own_dataset_is_of_the_very_network(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    network = winner(client, sessions, blobs)
    found, spec = client.get(f"/architectures/{network}").json()["architecture"], new_training(client, network)["spec"]
    described = {key: value for key, value in spec["architecture"].items() if key != "preprocessing"}
    assert described == {key: value for key, value in found.items() if key != "preprocessing"}
    assert (spec["dataset"]["name"], spec["input_size"]) == ("digits", found["input_size"])


def test_on_another_dataset_the_network_is_made_to_suit_it(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    network = winner(client, sessions, blobs)
    before = client.get(f"/architectures/{network}").json()
    birds(sessions)
    training = new_training(client, network, dataset="birds", input_size=48)
    spec = training["spec"]
    assert (training["dataset"], spec["dataset"]["num_classes"], spec["input_size"]) == ("birds", 2, 48)
    described = spec["architecture"]
    assert (described["timm"]["num_classes"], described["input_size"]) == (2, 48)
    assert (described["preprocessing"]["size"], described["preprocessing"]["classes"]) == (48, ["owl", "wren"])
    assert described["blocks"] == before["architecture"]["blocks"]
    assert client.get(f"/trainings/{training['id']}/download").json() == described
    assert client.get(f"/architectures/{network}").json()["architecture"] == before["architecture"]


def test_what_weakens_its_accuracy_is_said(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    network = winner(client, sessions, blobs)
    birds(sessions)
    said = client.get("/datasets/birds").json()["warnings"]
    assert said
    assert new_training(client, network, dataset="birds", batch_size=2)["warnings"] == said
    assert new_training(client, network)["warnings"] == []


@pytest.mark.parametrize(
    ("fields", "kind", "pointer", "says"),
    [
        ({"architecture": NOBODY}, "invalid_request", "#/architecture", f"There is no network '{NOBODY}'"),
        (
            {"architecture": "winner"},
            "invalid_request",
            "#/architecture",
            "take the id of one, or the name of one that was given or published (dna-a",
        ),
        ({"architecture": ""}, "invalid_request", "#/architecture", "There is no network"),
        ({"architecture": 7}, "invalid_request", "#/architecture", "string"),
        ({"architecture": None}, "invalid_request", "#/architecture", "Name the network, or a training"),
        ({"architecture": "0" * 201}, "invalid_request", "#/architecture", "200"),
        ({"dataset": "digit"}, "unknown_name", "#/dataset", "'digits'"),
        ({"dataset": None}, "invalid_request", "#/dataset", "string"),
        ({"start": "warm"}, "invalid_request", "#/start", "scratch"),
        ({"distill": {"weight": 1.5}}, "invalid_request", "#/distill/weight", "at most 1"),
        ({"distill": {"temperature": 0}}, "invalid_request", "#/distill/temperature", "above 0"),
        ({"recipe": "sgd"}, "invalid_request", "#/recipe", "quick"),
        ({"epochs": 0}, "invalid_request", "#/epochs", "1"),
        ({"epochs": "many"}, "invalid_request", "#/epochs", "integer"),
        ({"batch_size": 1}, "invalid_request", "#/batch_size", "2"),
        ({"learning_rate": 0}, "invalid_request", "#/learning_rate", "above 0"),
        ({"input_size": 8}, "invalid_request", "#/input_size", "16"),
        ({"input_size": 4096}, "invalid_request", "#/input_size", "1,024"),
        ({"augment": 1}, "invalid_request", "#/augment", "boolean"),
        ({"seed": -1}, "invalid_request", "#/seed", "0"),
        ({"labels": {"k": 1}}, "invalid_request", "#/labels/k", "string"),
        ({"name": "x" * 201}, "invalid_request", "#/name", "200"),
        ({"colour": "red"}, "invalid_request", "#/colour", "no such field"),
        ({"epoch": 3}, "invalid_request", "#/epoch", "Did you mean epochs?"),
        ({"retrain": {"epochs": 3}}, "invalid_request", "#/retrain", "no such field"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_field(
    trained: Finished, fields: dict[str, Any], kind: str, pointer: str, says: str
) -> None:
    spec = {"architecture": network_of(trained), "dataset": "digits"} | fields
    body = problem(trained.client.post("/trainings", json=spec), 422, kind)
    assert {*pointers(body)} == {pointer}
    assert says in body["detail"]


def test_it_begins_with_what_its_search_has_distilled_though_that_is_deleted(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    network = winner(client, sessions, blobs)
    search = client.get(f"/architectures/{network}").json()["search_id"]
    training = new_training(client, network, start="inherited", distill={"weight": 0.25})
    spec = training["spec"]
    assert (spec["start"], spec["distill"]) == ("inherited", {"weight": 0.25, "temperature": 4.0})
    assert spec["space"] == client.get(f"/searches/{search}").json()["spec"]["space"]
    assert [file["format"] for file in training["files"]] == ["json"]
    client.post(f"/searches/{search}/cancel")
    assert client.delete(f"/searches/{search}").status_code == 204
    finish(sessions, blobs, UUID(training["id"]))
    assert client.get(f"/trainings/{training['id']}").json()["state"] == "succeeded"


def test_what_its_search_does_not_have_cannot_be_taken(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    wide = winner(client, sessions, blobs, training={"width": "teacher"}, select={"finalists": 0})
    refused = client.post("/trainings", json={"architecture": wide, "dataset": "digits", "start": "inherited"})
    body = problem(refused, 422, "invalid_spec")
    assert pointers(body) == ["#/start"]
    birds(sessions)
    refused = client.post("/trainings", json={"architecture": wide, "dataset": "birds", "distill": {}})
    body = problem(refused, 422, "invalid_spec")
    assert (pointers(body), "classes of digits" in body["detail"]) == (["#/distill"], True)
    network = winner(client, sessions, blobs)
    search = UUID(client.get(f"/architectures/{network}").json()["search_id"])
    with transaction(sessions) as session:
        artifacts.remove(session, search, "teacher.safetensors")
    refused = client.post("/trainings", json={"architecture": network, "dataset": "digits", "distill": {}})
    assert "has no file teacher.safetensors" in problem(refused, 409, "illegal_transition")["detail"]
    assert alone(client) == []
    new_training(client, network, start="inherited")


@pytest.mark.parametrize("lacking", ["architecture", "dataset"])
def test_what_is_required(trained: Finished, lacking: str) -> None:
    spec = {"architecture": network_of(trained), "dataset": "digits"}
    del spec[lacking]
    body = problem(trained.client.post("/trainings", json=spec), 422, "invalid_request")
    assert pointers(body) == [f"#/{lacking}"]


def test_a_network_that_this_version_cannot_read(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    network = winner(client, sessions, blobs)
    for described in (
        {},
        {"format": "dna-architecture/0"},
        {"format": FORMATS[0]},
        DESCRIBED | {"blocks": 7},
        DESCRIBED | {"blocks": [{"cell": 1}]},
        DESCRIBED | {"blocks": [{"cell": 1, "stride": 1, "width": 8, "ops": ["mb9_9x9"]}]},
        DESCRIBED | {"timm": {"arch_def": [[7]]}},
        DESCRIBED | {"timm": {**DESCRIBED["timm"], "num_features": "wide"}},
    ):
        with transaction(sessions) as session:
            row = update(Architecture).where(Architecture.id == UUID(network))
            session.execute(row.values(architecture=described))
        refused = client.post("/trainings", json={"architecture": network, "dataset": "digits"})
        body = problem(refused, 422, "invalid_request")
        assert pointers(body) == ["#/architecture"], described
        assert body["detail"].startswith("This network cannot be trained by this version. "), described
    assert alone(client) == []


def test_a_network_that_skips_layers(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    network, described = winner(client, sessions, blobs), published("dna-a", input_size=32)
    skips = {
        "some": [(block.ops[0], *[SKIP] * (len(block.ops) - 1)) for block in described.blocks],
        "all": [(SKIP,) * len(block.ops) for block in described.blocks],  # No space has them, but a row may.
    }
    answers = {}
    for name, ops in skips.items():
        blocks = tuple(replace(block, ops=chosen) for block, chosen in zip(described.blocks, ops, strict=True))
        with transaction(sessions) as session:
            row = update(Architecture).where(Architecture.id == UUID(network))
            session.execute(row.values(architecture=replace(described, blocks=blocks).to_json()))
        answers[name] = client.post("/trainings", json={"architecture": network, "dataset": "digits"}).status_code
        assert client.get("/trainings").status_code == 200
    assert answers["some"] == 201
    assert answers["all"] in (201, 422)


def test_a_repeat_gets_the_same_training(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    body = {"architecture": winner(client, sessions, blobs), "dataset": "digits"}
    headers = {"idempotency-key": "k"}
    first, again = (client.post("/trainings", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
    assert first.headers["location"] == again.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert alone(client) == [first.json()["id"]]
    problem(client.post("/trainings", json=body | {"seed": 1}, headers=headers), 422, "idempotency_mismatch")
    problem(client.post("/searches", json={"dataset": "digits"}, headers=headers), 422, "idempotency_mismatch")


def test_its_network_is_not_deleted_before_the_training_is_kept(
    client: TestClient, sessions: Sessions, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its search is to be deleted when the network was read and nothing written yet."""
    network = winner(client, sessions, blobs)
    search = UUID(client.get(f"/architectures/{network}").json()["search_id"])
    client.post(f"/searches/{search}/cancel")

    def delete() -> None:
        with transaction(sessions) as session:
            session.execute(text("SET LOCAL lock_timeout = 100"))
            jobs.delete(session, search)

    def delete_first(*arguments: Any) -> ResolvedTraining:
        with pytest.raises(OperationalError, match="lock timeout"):
            delete()
        return resolve_training(*arguments)

    monkeypatch.setattr(service, "resolve_training", delete_first)
    training = new_training(client, network)
    assert training["architecture_id"] == network
    delete()
    assert client.get(f"/trainings/{training['id']}").json()["architecture_id"] is None


def test_its_dataset_cannot_be_deleted_before_it_has_ended(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    network = winner(client, sessions, blobs)
    birds(sessions)
    training = new_training(client, network, dataset="birds")
    refused = problem(client.delete("/datasets/birds"), 409, "illegal_transition")
    assert refused["detail"].startswith(f"Training {training['name']!r} ({training['id']}) works on birds.")
    finish(sessions, blobs, UUID(training["id"]))
    assert client.delete("/datasets/birds").status_code == 204
    assert client.get(f"/trainings/{training['id']}").json()["state"] == "succeeded"
