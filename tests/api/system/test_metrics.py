"""Figures for Prometheus."""

from __future__ import annotations

import platform
from datetime import timedelta
from importlib.metadata import version
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store import deliveries, flow, jobs, notices, workers
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.workers import Condition, Memory
from tests.api.builders import finish, new_training, new_tuning, winner
from tests.api.conftest import LOCAL
from tests.store.builders import new_webhook, new_worker, queued, take


class Figures:
    """What the service says of itself at a moment."""

    def __init__(self, client: TestClient) -> None:
        families = text_string_to_metric_families(client.get("/metrics").text)
        self.samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}

    def __call__(self, name: str, **labels: str) -> float:
        return self.samples[name, tuple(sorted(labels.items()))]


def test_figures(client: TestClient, sessions: Sessions) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    with transaction(sessions) as session:
        new_worker(session)
        webhook = new_webhook(session)
        deliveries.put(session, webhook, notices.of_test(session, webhook.id))
    client.get(f"/searches/{search}")
    client.get(f"/searches/{search}")
    client.get("/no/such/route")
    value = Figures(client)
    assert value("dna_searches", state="queued") == 1
    assert value("dna_searches", state="failed") == 0
    assert value("dna_steps_waiting", queue="gpu") == 1
    assert value("dna_workers", busy="false") == 1
    assert value("dna_webhook_messages_waiting") == 1
    assert value("dna_http_requests_total", method="POST", route="/searches", status="201") == 1
    assert value("dna_http_requests_total", method="GET", route="/searches/{search_id}", status="200") == 2
    assert value("dna_http_requests_total", method="GET", route="none", status="404") == 1
    assert value("dna_http_request_seconds_count", method="GET", route="/searches/{search_id}") == 2
    assert not any(search in str(key) for key in value.samples)


def test_trainings_and_tunings_are_counted_beside_searches(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    network = winner(client, sessions, blobs)
    first, second = (new_training(client, network)["id"] for _ in range(2))
    finish(sessions, blobs, UUID(first))
    client.post(f"/trainings/{second}/cancel")
    client.get(f"/trainings/{first}/metrics")
    new_tuning(client, network)
    value = Figures(client)
    assert [value("dna_trainings", state=state) for state in ("queued", "succeeded", "cancelled")] == [0, 1, 1]
    assert [value("dna_searches", state=state) for state in ("running", "succeeded", "cancelled")] == [1, 0, 0]
    assert [value("dna_tunings", state=state) for state in ("queued", "succeeded")] == [1, 0]
    for path in ("/trainings/{training_id}/cancel", "/trainings/{training_id}/metrics"):
        method = "POST" if path.endswith("cancel") else "GET"
        assert value("dna_http_requests_total", method=method, route=path, status="200") == 1


def test_what_has_happened_and_how_it_is_now(client: TestClient, sessions: Sessions, api_settings: ApiSettings) -> None:
    running, waiting, cancelled = (client.post("/searches", json={"dataset": "digits"}).json()["id"] for _ in range(3))
    client.post(f"/searches/{cancelled}/cancel")
    client.delete(f"/searches/{cancelled}")
    error = {"code": "worker_error", "message": "", "param": None}
    with transaction(sessions) as session:
        gpu = new_worker(session, hostname="far", queues=["gpu"])
        workers.beat(session, gpu, current_step_id=None, condition=Condition(Memory(2_000, 500), 0.25, 10_000, 10))
        unreached = new_worker(session, hostname="cut off", queues=["gpu"])
        workers.beat(session, unreached, current_step_id=None, condition=Condition(redis_answers=False))
        flow.fail(
            session,
            take(session, queued(session, jobs.lock(session, UUID(running)))[0], gpu),
            error,
            engine_seconds=1.0,
            retry=True,
        )
        again = queued(session, jobs.lock(session, UUID(running)))[0]
        take(session, again, gpu)
        (step,) = queued(session, jobs.lock(session, UUID(waiting)))
        step.available_at -= timedelta(seconds=100)
    value = Figures(client)
    assert [value("dna_steps_waiting", queue=queue) for queue in ("gpu", "cpu")] == [1, 0]
    assert 100 <= value("dna_steps_waiting_oldest_seconds", queue="gpu") < 100 + 600
    assert value("dna_steps_waiting_oldest_seconds", queue="cpu") == 0
    assert [value("dna_steps_running", kind=kind) for kind in ("teacher", "rate")] == [1, 0]
    assert [value("dna_queue_workers", queue=queue) for queue in ("gpu", "cpu")] == [1, 0]
    assert value("dna_step_seconds_count", kind="teacher", outcome="failed") == 1
    assert value("dna_step_seconds_bucket", kind="teacher", outcome="failed", le="+Inf") == 1
    assert value("dna_step_failures_total", kind="teacher", code="worker_error") == 1
    assert [value("dna_step_retries_total", kind=kind) for kind in ("teacher", "rate")] == [1, 0]
    assert value("dna_leases_lost_total", kind="teacher") == 0
    assert value("dna_job_seconds_count", kind="search", state="cancelled") == 1, "though it was deleted"
    device = {"hostname": "far", "device": "cpu"}
    assert value("dna_device_memory_bytes", **device) == 2_000
    assert value("dna_device_memory_used_bytes", **device) == 500
    assert value("dna_device_utilization_ratio", **device) == 0.25
    assert value("dna_disk_bytes", hostname="far", folder="data") == 10_000
    assert value("dna_disk_free_bytes", hostname="far", folder="data") == 10
    assert value("dna_disk_free_bytes", hostname=platform.node(), folder="artifacts") > 0
    assert value("dna_webhooks", enabled="false") == 0
    assert value("dna_build_info", version=version("dna-automl")) == 1
    assert value("process_resident_memory_bytes") > 0


def test_another_process_says_the_same_of_all_but_its_requests(client: TestClient, api_settings: ApiSettings) -> None:
    client.post("/searches", json={"dataset": "digits"})
    with TestClient(create_app(api_settings), base_url=LOCAL) as other:
        theirs, ours = Figures(other), Figures(client)
    moving = ("process_", "dna_http_", "dna_disk_free_bytes", "dna_steps_waiting_oldest_seconds")
    mine, others = (
        {key: value for key, value in each.samples.items() if not key[0].startswith(moving)} for each in (ours, theirs)
    )
    assert mine == others
    assert theirs.samples.keys() - ours.samples.keys() == set()


def test_invented_methods_are_one_series(client: TestClient) -> None:
    for number in range(50):
        client.request(f"INVENTED{number}", f"/searches/{number}")
    text = client.get("/metrics").text
    assert "INVENTED" not in text
    assert 'dna_http_requests_total{method="other",route="none",status="405"} 50.0' in text or (
        text.count('method="other"') < 40
    )
