"""Figures for Prometheus."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from store.session import Sessions, transaction
from tests.store.builders import new_worker


def test_figures(client: TestClient, sessions: Sessions) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    with transaction(sessions) as session:
        new_worker(session)
    client.get(f"/searches/{search}")
    client.get(f"/searches/{search}")
    client.get("/no/such/route")
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def value(name: str, **labels: str) -> float:
        return samples[name, tuple(sorted(labels.items()))]

    assert value("dna_searches", state="queued") == 1
    assert value("dna_searches", state="failed") == 0
    assert value("dna_steps_waiting", queue="gpu") == 1
    assert value("dna_workers", busy="false") == 1
    assert value("dna_http_requests_total", method="POST", route="/searches", status="201") == 1
    assert value("dna_http_requests_total", method="GET", route="/searches/{search_id}", status="200") == 2
    assert value("dna_http_requests_total", method="GET", route="none", status="404") == 1
    assert value("dna_http_request_seconds_count", method="GET", route="/searches/{search_id}") == 2
    assert not any(search in str(key) for key in samples)


def test_invented_methods_are_one_series(client: TestClient) -> None:
    for number in range(50):
        client.request(f"INVENTED{number}", f"/searches/{number}")
    text = client.get("/metrics").text
    assert "INVENTED" not in text
    assert 'dna_http_requests_total{method="other",route="none",status="405"} 50.0' in text or (
        text.count('method="other"') < 40
    )
