"""Networks are timed by workers, whoever found them."""

from __future__ import annotations

from uuid import UUID

import pytest
from starlette.testclient import TestClient

from dna_engine.plans.results import NetworksTimed, Timed, TimedNetwork
from store import flow, jobs
from store.session import Sessions, transaction
from store.states import JobKind
from store.waiting import NO_WORKER
from tests.api.problems import problem
from tests.store.builders import new_worker, queued, take, two_groups

FOUND = NetworksTimed(
    device="NVIDIA H100 80GB HBM3",
    cpu="AMD EPYC",
    threads=2,
    torch_version="2.14.1",
    onnxruntime_version="1.32.0",
    networks=[
        TimedNetwork(
            torch=Timed(median_ms=3.0, p95_ms=4.0, runs=100), onnxruntime=Timed(median_ms=1.0, p95_ms=2.0, runs=50)
        )
    ],
)


def answer(sessions: Sessions, timing: str) -> None:
    """What a worker does."""
    with transaction(sessions) as session:
        job = jobs.lock(session, UUID(timing))
        assert job.kind is JobKind.TIMING
        [step] = queued(session, job)
        claim = take(session, step, new_worker(session))
        flow.succeed(session, claim, FOUND.model_dump(mode="json"), [], engine_seconds=1.0, group=two_groups)


def test_a_network_is_timed_and_keeps_what_was_found(client: TestClient, sessions: Sessions) -> None:
    network = client.post("/architectures", json={"architecture": "dna-a"}).json()["id"]
    path = f"/architectures/{network}/latency"
    response = client.post(path, headers={"Idempotency-Key": "once"})
    assert (response.status_code, response.headers["location"]) == (202, path)
    made = response.json()
    assert (made["state"], made["torch"], made["device"]) == ("queued", None, None)
    assert (made["queue_position"], made["warnings"]) == (1, [NO_WORKER])
    assert client.post(path, headers={"Idempotency-Key": "once"}).json() == made
    answer(sessions, made["id"])
    second = client.post(path).json()
    first = client.get(path, params={"limit": 1}).json()
    assert [one["id"] for one in first["items"]] == [second["id"]]
    [timed] = client.get(path, params={"cursor": first["next"]}).json()["items"]
    assert (timed["id"], timed["state"], timed["device"]) == (made["id"], "succeeded", "NVIDIA H100 80GB HBM3")
    assert timed["torch"] == {"median_ms": 3.0, "p95_ms": 4.0, "runs": 100}
    assert timed["onnxruntime"]["p95_ms"] == 2.0


def test_a_timing_that_has_ended_waits_for_nothing_though_it_did_at_the_last_look(
    client: TestClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.app.state.resources.waits, "_clock", lambda: 0.0)  # type: ignore[attr-defined]
    network = client.post("/architectures", json={"architecture": "dna-a"}).json()["id"]
    path = f"/architectures/{network}/latency"
    first, second = (client.post(path).json()["id"] for _ in range(2))
    assert [one["queue_position"] for one in client.get(path).json()["items"]] == [2, 1]
    answer(sessions, first)
    shown = {one["id"]: (one["state"], one["queue_position"]) for one in client.get(path).json()["items"]}
    assert shown == {first: ("succeeded", None), second: ("queued", 2)}


def test_there_must_be_such_a_network(client: TestClient) -> None:
    path = "/architectures/00000000-0000-7000-8000-000000000000/latency"
    problem(client.post(path), 404, "not_found")
    problem(client.get(path), 404, "not_found")
