"""Live workers and what they run."""

from __future__ import annotations

from uuid import UUID

from starlette.testclient import TestClient

from store import searches, workers
from store.session import Sessions, transaction
from store.workers import Condition, Memory
from tests.store.builders import new_worker, queued, take


def test_workers_and_what_they_run(client: TestClient, sessions: Sessions) -> None:
    assert client.get("/workers").json() == {"items": [], "next": None}
    search_id = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    with transaction(sessions) as session:
        busy, idle, gone = (new_worker(session, hostname=name) for name in ("busy", "idle", "gone"))
        (step,) = queued(session, searches.get(session, UUID(search_id)))
        take(session, step, busy)
        workers.beat(
            session, busy, current_step_id=step.id, condition=Condition(Memory(2_000, 500), 0.25, redis_answers=False)
        )
        workers.leave(session, gone.id)
    shown = client.get("/workers").json()["items"]
    assert [(worker["hostname"], worker["device"]) for worker in shown] == [("busy", "cpu"), ("idle", "cpu")]
    search = client.get(f"/searches/{search_id}").json()
    running = {"id": str(step.id), "job_id": search_id, "key": "teacher", "kind": "teacher"}
    of = {"job_kind": "search", "job_name": search["name"], "started_at": search["steps"][0]["started_at"]}
    assert [worker["step"] for worker in shown] == [running | of, None]
    assert [(worker["memory_bytes"], worker["memory_used_bytes"]) for worker in shown] == [(2_000, 500), (None, None)]
    assert [worker["utilization"] for worker in shown] == [0.25, None]
    assert [worker["redis_answers"] for worker in shown] == [False, None]
    assert [worker["devices"] for worker in shown] == [1, 1]
    assert idle.id != busy.id
    assert (search["state"], search["steps"][0]["device"]) == ("running", "cpu")
