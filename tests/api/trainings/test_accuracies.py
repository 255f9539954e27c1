"""How good a network is said to be when it has several trainings of its own, and when they are deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from dna_engine.plans import Kind
from store import flow, jobs
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.builders import FEW_TRIED, finish, new_training
from tests.store.builders import new_worker, queued, take, two_groups, values_of


def train(client: TestClient, sessions: Sessions, network: str, accuracy: float, **spec: Any) -> str:
    """A training that has come to that accuracy, and is cancelled before its export."""
    training = str(new_training(client, network, **spec)["id"])
    with transaction(sessions) as session:
        [step] = queued(session, jobs.lock(session, UUID(training)))
        claim = take(session, step, new_worker(session))
        values = values_of(Kind.TRAIN) | {"test_accuracy": accuracy}
        flow.succeed(session, claim, values, [], engine_seconds=1.0, group=two_groups)
    client.post(f"/trainings/{training}/cancel")
    return training


def said(client: TestClient, network: str) -> tuple[float | None, str | None, str | None]:
    found = client.get(f"/architectures/{network}").json()
    return found["test_accuracy"], found["test_dataset"], found["test_training_id"]


def test_one_kept_from_a_search_is_as_good_as_the_best_on_its_images(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search))
    body = {"budget": {"flops": 3_000_000}, "top_k": 7}
    *_, selected = client.post(f"/searches/{search}/select", json=body).json()["architectures"]
    network = selected["id"]
    best, worse = (train(client, sessions, network, accuracy) for accuracy in (0.9, 0.8))
    assert said(client, network) == (0.9, "digits", best)
    shown = client.get(f"/architectures/{network}").json()
    assert (shown["counted_flops"], shown["counted_params"]) == (1000, 100)
    assert client.delete(f"/trainings/{best}").status_code == 204
    assert said(client, network) == (0.8, "digits", worse)
    assert client.delete(f"/trainings/{worse}").status_code == 204
    assert said(client, network) == (None, None, None)


def test_one_of_no_search_is_as_good_as_its_newest_training(client: TestClient, sessions: Sessions) -> None:
    network = client.post("/architectures", json={"architecture": "dna-b"}).json()["id"]
    first, newest = (train(client, sessions, network, accuracy, input_size=32) for accuracy in (0.9, 0.8))
    assert said(client, network) == (0.8, "digits", newest)
    shown = client.get(f"/architectures/{network}").json()
    assert shown["counted_flops"] is None, "it was built for ten classes and small images"
    assert client.delete(f"/trainings/{newest}").status_code == 204
    assert said(client, network) == (0.9, "digits", first)
