"""The same request under the same Idempotency-Key is done once."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from store import idempotency
from store.session import Sessions, transaction
from tests.api.problems import problem

SPEC = {"dataset": "digits"}


def test_a_repeat_gets_the_same_bytes_and_does_nothing(client: TestClient) -> None:
    headers = {"idempotency-key": "k1"}
    first = client.post("/searches", json=SPEC, headers=headers)
    again = client.post("/searches", json=SPEC, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert first.headers["content-type"] == again.headers["content-type"]
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert len(client.get("/searches").json()["items"]) == 1
    other = client.post("/searches", json=SPEC, headers={"idempotency-key": "k2"})
    assert other.json()["id"] != first.json()["id"]


def test_another_body_under_the_key_is_refused(client: TestClient) -> None:
    headers = {"idempotency-key": "k"}
    client.post("/searches", json=SPEC, headers=headers)
    problem(client.post("/searches", json={**SPEC, "seed": 1}, headers=headers), 422, "idempotency_mismatch")
    assert len(client.get("/searches").json()["items"]) == 1


def test_a_request_in_flight_is_a_conflict(client: TestClient, sessions: Sessions) -> None:
    with transaction(sessions) as session:
        idempotency.begin(session, owner="local", key="k", request_sha256="of the first")
        problem(client.post("/searches", json=SPEC, headers={"idempotency-key": "k"}), 409, "request_in_flight")
    assert client.post("/searches", json=SPEC, headers={"idempotency-key": "k"}).status_code == 201


def test_a_refused_request_leaves_the_key_free(client: TestClient) -> None:
    headers = {"idempotency-key": "k"}
    problem(client.post("/searches", json={"dataset": "nothing"}, headers=headers), 422, "unknown_name")
    assert client.post("/searches", json=SPEC, headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_keys_have_a_length(shared: TestClient, key: str) -> None:
    body = problem(shared.post("/searches", json=SPEC, headers={"idempotency-key": key}), 422, "invalid_request")
    assert body["errors"][0]["parameter"] == "idempotency-key"
