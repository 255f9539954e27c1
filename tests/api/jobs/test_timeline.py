"""Every attempt at every step is told, with who made it and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from store import flow, steps
from store.claims import Claim
from store.session import Sessions, transaction
from store.tables import Step, Worker
from tests.api.conftest import Finished
from tests.api.problems import problem
from tests.store.builders import new_search, new_worker, next_id, two_groups, values_of

FAULT = {"code": "crashed", "message": "It crashed.", "param": None}


def taken(session: Session, worker: Worker) -> Claim:
    step_id = next_id(session, "gpu", "cpu")
    assert step_id is not None
    claim = flow.claim(session, step_id, worker, lease_seconds=60)
    assert claim is not None
    return claim


def lose(session: Session, claim: Claim) -> None:
    past = func.clock_timestamp() - timedelta(seconds=1)
    session.execute(update(Step).where(Step.id == claim.step_id).values(lease_expires_at=past))
    assert flow.reap(session, steps.get(session, claim.step_id)) is not None


def stop(session: Session, claim: Claim) -> None:
    flow.stop(session, claim, engine_seconds=1.0)


def cancel(session: Session, claim: Claim) -> None:
    flow.cancel(session, claim.job_id)
    flow.stop(session, claim, engine_seconds=1.0)


def crash(session: Session, claim: Claim) -> None:
    flow.fail(session, claim, FAULT, engine_seconds=1.0, retry=True)


def fail(session: Session, claim: Claim) -> None:
    flow.fail(session, claim, FAULT, engine_seconds=1.0, retry=False)


def succeed(session: Session, claim: Claim) -> None:
    flow.succeed(session, claim, values_of(claim.step.kind), [], engine_seconds=1.0, group=two_groups)


ENDS: dict[str, tuple[Callable[[Session, Claim], None], str]] = {
    "its worker was lost": (lose, "lost"),
    "its worker leaves": (stop, "released"),
    "its job was cancelled": (cancel, "cancelled"),
    "it crashed, and is tried again": (crash, "failed"),
    "it failed for good": (fail, "failed"),
    "it succeeded": (succeed, "succeeded"),
}


@pytest.mark.parametrize("how", ENDS)
def test_an_attempt_ends_as_its_lease_does(client: TestClient, sessions: Sessions, how: str) -> None:
    end, outcome = ENDS[how]
    with transaction(sessions) as session:
        search, worker = new_search(session), new_worker(session, hostname="node1")
        claim = taken(session, worker)
    [runs] = items(client, search.id)
    assert (runs["key"], runs["outcome"], runs["finished_at"], runs["engine_seconds"]) == (
        "teacher",
        "running",
        None,
        0.0,
    )
    with transaction(sessions) as session:
        end(session, claim)
    [attempt] = items(client, search.id)
    assert attempt["outcome"] == outcome
    assert attempt["finished_at"] > attempt["started_at"] == runs["started_at"]
    assert attempt["engine_seconds"] == (0.0 if end is lose else 1.0)
    assert attempt["worker"] == {
        "id": str(worker.id), "hostname": "node1", "device": worker.device, "device_name": worker.device_name,
    }  # fmt: skip


def items(client: TestClient, search_id: UUID, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/searches/{search_id}/timeline", params=params).json()["items"]
    return found


def test_each_attempt_has_its_own_time_and_stays_when_its_worker_is_gone(
    client: TestClient, sessions: Sessions
) -> None:
    with transaction(sessions) as session:
        search, workers = new_search(session), [new_worker(session, hostname=name) for name in ("first", "second")]
        crash(session, taken(session, workers[0]))
        stop(session, taken(session, workers[1]))
        session.delete(workers[0])
    with transaction(sessions) as session:
        claim = taken(session, workers[1])
        flow.report(session, claim, [], engine_seconds=5.0)
    told = items(client, search.id)
    assert [attempt["outcome"] for attempt in told] == ["failed", "released", "running"]
    assert [attempt["engine_seconds"] for attempt in told] == [1.0, 1.0, 5.0]
    assert [attempt["worker"]["hostname"] for attempt in told] == ["first", "second", "second"]
    assert [attempt["attempt"] for attempt in told] == [1, 2, 2], "one that was given back does not count"


def test_a_finished_job_tells_of_all_its_steps_on_pages(finished: Finished) -> None:
    told, cursor = [], None
    while True:
        page = finished.get("/timeline", limit=3, **({"cursor": cursor} if cursor else {})).json()
        told += page["items"]
        if (cursor := page["next"]) is None:
            break
    steps_of = {step["id"]: step for step in finished.get("").json()["steps"]}
    assert {attempt["step"] for attempt in told} == set(steps_of)
    assert len(told) == len(steps_of)
    assert {attempt["outcome"] for attempt in told} == {"succeeded"}
    assert [attempt["started_at"] for attempt in told] == sorted(attempt["started_at"] for attempt in told)
    assert {attempt["step"]: attempt["engine_seconds"] for attempt in told} == {
        step_id: step["engine_seconds"] for step_id, step in steps_of.items()
    }


def test_a_training_has_one_as_well_and_nothing_has_none(trained: Finished) -> None:
    assert trained.get("/timeline").json()["items"][0]["kind"] == "train"
    nobody = trained.client.get(f"/tunings/{trained.id}/timeline")
    problem(nobody, 404, "not_found")
