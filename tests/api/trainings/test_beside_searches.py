"""Trainings made alone and the searches that found their networks: neither changes what the other has, or is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, update
from starlette.testclient import TestClient

from dna_engine.plans import Kind, Phase
from store import flow, jobs
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.tables import Worker
from tests.api.builders import ENDS, FEW_TRIED, WEIGHTS, finish, finish_phase, new_training, winner
from tests.api.conftest import Finished
from tests.api.problems import problem
from tests.store.builders import new_worker, queued, take, two_groups, values_of


def train_badly(sessions: Sessions, training: str) -> None:
    """Its network comes to another accuracy than it came to in its search."""
    with transaction(sessions) as session:
        [step] = queued(session, jobs.lock(session, UUID(training)))
        claim = take(session, step, new_worker(session))
        values = values_of(Kind.TRAIN) | {"test_accuracy": 0.5, "test": None, "counted": {"flops": 7, "params": 7}}
        flow.succeed(session, claim, values, [], engine_seconds=1.0, group=two_groups)


def test_a_training_alone_changes_nothing_that_its_search_has_found(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search))
    found = client.get(f"/searches/{search}").json()
    network = found["best"]["architecture_id"]
    shown = client.get(f"/architectures/{network}").json()
    told, series = (client.get(f"/searches/{search}/{part}").text for part in ("events", "metrics"))
    training = new_training(client, network)["id"]
    train_badly(sessions, training)
    assert client.get(f"/trainings/{training}").json()["test_accuracy"] == 0.5
    assert client.get(f"/searches/{search}").json() == found
    assert [client.get(f"/searches/{search}/{part}").text for part in ("events", "metrics")] == [told, series]
    after = client.get(f"/architectures/{network}").json()
    assert after == shown | {"trainings": [*shown["trainings"], training]}, "that of the search first"


def test_what_is_done_to_one_of_a_search_is_done_to_the_search(finished: Finished) -> None:
    training = finished.client.get(f"/architectures/{finished.network('control')}").json()["trainings"][0]
    for method, path in (("POST", "/cancel"), ("POST", "/resume"), ("DELETE", "")):
        refused = finished.client.request(method, f"/trainings/{training}{path}")
        said = problem(refused, 409, "illegal_transition")["detail"]
        assert f"dna search cancel {finished.id}" in said
    assert finished.client.get(f"/trainings/{training}").json()["state"] == "succeeded"


def test_one_of_a_search_is_followed_by_the_events_and_metrics_of_the_search(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search))
    network = client.get(f"/searches/{search}").json()["best"]["architecture_id"]
    training = client.get(f"/architectures/{network}").json()["trainings"][0]
    for part in ("events", "metrics"):
        mine = client.get(f"/trainings/{training}/{part}")
        assert mine.status_code == 200
        assert mine.text == client.get(f"/searches/{search}/{part}").text


def test_a_search_and_a_training_are_not_found_under_the_other_s_name(trained: Finished, finished: Finished) -> None:
    for kind, wrong in (("searches", trained.id), ("trainings", finished.id)):
        parts = [
            ("GET", ""),
            ("GET", "/events"),
            ("GET", "/metrics"),
            ("POST", "/cancel"),
            ("POST", "/resume"),
            ("DELETE", ""),
        ]
        if kind == "searches":
            parts += [("GET", "/ratings"), ("GET", "/frontier"), ("POST", "/select"), ("GET", "/pictures/loss")]
        for method, path in parts:
            answer = finished.client.request(method, f"/{kind}/{wrong}{path}", json={} if path == "/select" else None)
            problem(answer, 404, "not_found")
    assert trained.get("").json()["state"] == finished.get("").json()["state"] == "succeeded"


def test_a_search_is_not_listed_as_a_training_nor_the_other_way_round(trained: Finished) -> None:
    searches = trained.client.get("/searches", params={"ref": trained.id}).json()["items"]
    assert searches == []
    [training] = trained.client.get("/trainings", params={"ref": trained.id}).json()["items"]
    assert training["id"] == trained.id


@pytest.fixture
def lonely(client: TestClient, sessions: Sessions, blobs: BlobStore) -> dict[str, Any]:
    """A queued training whose network's search was deleted."""
    network = winner(client, sessions, blobs)
    training = new_training(client, network)
    search = client.get(f"/architectures/{network}").json()["search_id"]
    client.post(f"/searches/{search}/cancel")
    assert client.delete(f"/searches/{search}").status_code == 204
    problem(client.get(f"/architectures/{network}"), 404, "not_found")
    return training


def test_a_training_stays_whole_when_the_search_of_its_network_is_deleted(
    client: TestClient, sessions: Sessions, blobs: BlobStore, lonely: dict[str, Any]
) -> None:
    path = f"/trainings/{lonely['id']}"
    shown = client.get(path).json()
    gone = {"architecture_id": None, "architecture": None, "waiting_for": shown["waiting_for"], "queue_position": 1}
    assert shown == lonely | gone
    assert client.get(f"{path}/download").json() == lonely["spec"]["architecture"]
    assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{path}/resume").json()["state"] == "queued"
    finish(sessions, blobs, UUID(lonely["id"]))
    ended = client.get(path).json()
    assert (ended["state"], ended["test_accuracy"], ended["architecture_id"]) == ("succeeded", 0.99, None)
    assert client.get(f"{path}/download", params={"format": "safetensors"}).content == WEIGHTS
    [listed] = client.get("/trainings").json()["items"]
    assert listed["id"] == lonely["id"]
    assert client.delete(path).status_code == 204


def test_its_search_is_deleted_while_it_is_trained_or_after(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    network = winner(client, sessions, blobs)
    search = client.get(f"/architectures/{network}").json()["search_id"]
    runs, done = new_training(client, network)["id"], new_training(client, network)["id"]
    finish(sessions, blobs, UUID(done))
    with transaction(sessions) as session:
        worker = new_worker(session)
    finish_phase(sessions, blobs, UUID(runs), Phase.TRAIN, worker)
    client.post(f"/searches/{search}/cancel")
    assert client.delete(f"/searches/{search}").status_code == 204
    finish_phase(sessions, blobs, UUID(runs), Phase.EXPORT, worker)
    for training in (runs, done):
        shown = client.get(f"/trainings/{training}").json()
        assert (shown["state"], shown["architecture_id"]) == ("succeeded", None)
        assert [file["format"] for file in shown["files"]] == [*ENDS]
        for file in shown["files"]:
            params = {"format": file["format"]}
            assert client.get(f"/trainings/{training}/download", params=params).status_code == 200


def test_a_trained_network_waits_for_nothing_though_its_search_does(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.TRAIN)
    with transaction(sessions) as session:
        session.execute(update(Worker).values(stopped_at=func.now()))
    assert "none is live" in client.get(f"/searches/{search}").json()["waiting_for"]
    client.post(f"/searches/{search}/cancel")
    for training in client.get("/trainings", params={"search": search}).json()["items"]:
        assert (training["state"], training["waiting_for"], training["cancel_requested"]) == ("succeeded", None, False)
