"""Trainings, as they go and when they are done."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from dna_engine.events import Progress
from dna_engine.images.info import DatasetInfo
from dna_engine.plans import Kind, Phase
from store import datasets, flow, searches
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.tables import Training
from tests.api.builders import ENGINE_SECONDS, FEW_TRIED, finish, new_training, winner
from tests.api.conftest import Finished
from tests.api.problems import problem
from tests.store.builders import TEST, new_worker, queued, take, values_of


def test_a_finished_training(finished: Finished) -> None:
    network = finished.client.get(f"/architectures/{finished.network('control')}").json()
    training = finished.client.get(f"/trainings/{network['trainings'][0]}").json()
    assert (training["network"], training["dataset"]) == ("control", "digits")
    assert (training["state"], training["test_accuracy"], training["error"]) == ("succeeded", 0.99, None)
    assert training["test"] == TEST
    assert training["started_at"] <= training["finished_at"]


def test_a_training_that_runs(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search_id = UUID(client.post("/searches", json=FEW_TRIED).json()["id"])
    finish(sessions, blobs, search_id, until=Phase.SELECT)
    with transaction(sessions) as session:
        step = queued(session, searches.get(session, search_id))[0]
        claim = take(session, step, new_worker(session))
        flow.report(session, claim, [Progress(done=3, total=12, eta_seconds=9.0)], engine_seconds=1.0)
        training_id = step.training_id
    training = client.get(f"/trainings/{training_id}").json()
    assert (training["state"], training["progress"], training["eta_seconds"]) == ("running", 0.25, 9.0)
    assert training["test"] is None


@pytest.mark.parametrize("knew", ["accuracy", "test"])
def test_what_an_early_version_trained_says_no_more_than_it_knew(
    client: TestClient, sessions: Sessions, blobs: BlobStore, knew: str
) -> None:
    """At first the accuracy alone; then what it says, but of no class, nor how good the probabilities are."""
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search))
    early = {name: value for name, value in values_of(Kind.TRAIN).items() if name not in ("test", "by_class")}
    lacking = {"log_loss": None, "calibration_error": None}
    if knew == "test":
        early["test"] = {name: value for name, value in TEST.items() if name not in lacking}
    said = TEST | lacking if knew == "test" else None
    with transaction(sessions) as session:
        session.execute(update(Training).values(values=early))
    for training in client.get("/trainings").json()["items"]:
        shown = client.get(f"/trainings/{training['id']}").json()
        assert (shown["test_accuracy"], shown["test"], training["test"], shown["values"]) == (0.99, said, said, early)
        assert shown["by_class"] is None
        assert client.get(f"/architectures/{shown['architecture_id']}").json()["test"] == said
    found = client.get(f"/searches/{search}").json()
    assert (found["comparison"] is None) == (knew == "accuracy")
    assert [network["by_class"] for network in found["architectures"]] == [None, None]


def test_a_finished_training_alone(trained: Finished) -> None:
    training = trained.get("").json()
    assert (training["state"], training["phase"], training["progress"]) == ("succeeded", "export", 1.0)
    assert (training["name"], training["labels"], training["search_id"]) == ("alone", {"kept": "yes"}, None)
    assert (training["test_accuracy"], training["test"]) == (0.99, TEST)
    assert training["values"] == values_of(Kind.TRAIN)
    assert [(step["key"], step["state"]) for step in training["steps"]] == [
        ("train", "succeeded"),
        ("export", "succeeded"),
    ]
    assert sum(step["engine_seconds"] for step in training["steps"]) == 2 * ENGINE_SECONDS
    network = trained.client.get(f"/architectures/{training['architecture_id']}").json()
    assert network["trainings"][0] == trained.id
    assert (network["role"], network["test_accuracy"], network["test"]) == ("selected", 0.99, TEST)
    assert (network["test_dataset"], network["test_training_id"]) == ("digits", trained.id)
    listed = trained.client.get("/architectures", params={"accuracy_min": 0.98, "sort": "-accuracy"}).json()["items"]
    assert {key: network[key] for key in listed[0]} in listed
    [kept] = [
        one
        for one in trained.client.get(f"/searches/{network['search_id']}").json()["architectures"]
        if one["id"] == network["id"]
    ]
    assert (kept["test_accuracy"], kept["test"]) == (0.99, TEST)
    assert (
        network["counted_flops"] == trained.client.get(f"/trainings/{trained.id}").json()["values"]["counted"]["flops"]
    )
    assert [file["format"] for file in network["files"]] == ["json"], "the others are the training's"


def test_one_of_a_search_has_the_steps_of_its_network(finished: Finished) -> None:
    network = finished.client.get(f"/architectures/{finished.network('winner')}").json()
    training = finished.client.get(f"/trainings/{network['trainings'][0]}").json()
    assert [step["key"] for step in training["steps"]] == ["train-winner", "export-winner"]
    assert (training["search_id"], training["spec"], training["warnings"]) == (finished.id, None, [])
    assert (training["name"], training["labels"]) == (finished.get("").json()["name"], {"kept": "yes"})


def test_where_images_lie_is_not_told(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    info = DatasetInfo(
        name="birds", kind="folder", location="/srv/birds", num_classes=2, num_train=6000, num_test=100, image_size=224
    )
    with transaction(sessions) as session:
        datasets.create(session, info, fingerprint="f")
    training = new_training(client, winner(client, sessions, blobs), dataset="birds")
    assert training["spec"]["dataset"]["location"] == "birds"
    assert "/srv" not in client.get(f"/trainings/{training['id']}").text


def test_a_training_that_does_not_exist(shared: TestClient) -> None:
    problem(shared.get("/trainings/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"), 404, "not_found")
