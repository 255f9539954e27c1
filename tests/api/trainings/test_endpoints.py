"""Trainings, as they go and when they are done."""

from __future__ import annotations

from uuid import UUID

from starlette.testclient import TestClient

from dna_engine.events import Progress
from dna_engine.plans import Phase
from store import flow, searches
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.builders import finish
from tests.api.conftest import Finished
from tests.api.problems import problem
from tests.store.builders import TEST, new_worker, queued, take


def test_a_finished_training(finished: Finished) -> None:
    network = finished.client.get(f"/architectures/{finished.network('control')}").json()
    training = finished.client.get(f"/trainings/{network['trainings'][0]}").json()
    assert (training["network"], training["dataset"]) == ("control", "digits")
    assert (training["state"], training["test_accuracy"], training["error"]) == ("succeeded", 0.99, None)
    assert training["test"] == TEST
    assert training["started_at"] <= training["finished_at"]


def test_a_training_that_runs(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search_id = UUID(client.post("/searches", json={"dataset": "digits"}).json()["id"])
    finish(sessions, blobs, search_id, until=Phase.SELECT)
    with transaction(sessions) as session:
        step = queued(session, searches.get(session, search_id))[0]
        claim = take(session, step, new_worker(session))
        flow.report(session, claim, [Progress(done=3, total=12, eta_seconds=9.0)], engine_seconds=1.0)
        training_id = step.training_id
    training = client.get(f"/trainings/{training_id}").json()
    assert (training["state"], training["progress"], training["eta_seconds"]) == ("running", 0.25, 9.0)
    assert training["test"] is None


def test_a_training_that_does_not_exist(shared: TestClient) -> None:
    problem(shared.get("/trainings/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"), 404, "not_found")
