"""Figures for Prometheus."""

from __future__ import annotations

from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from store import deliveries, notices
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.builders import finish, new_training, new_tuning, winner
from tests.store.builders import new_webhook, new_worker


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


def test_invented_methods_are_one_series(client: TestClient) -> None:
    for number in range(50):
        client.request(f"INVENTED{number}", f"/searches/{number}")
    text = client.get("/metrics").text
    assert "INVENTED" not in text
    assert 'dna_http_requests_total{method="other",route="none",status="405"} 50.0' in text or (
        text.count('method="other"') < 40
    )
