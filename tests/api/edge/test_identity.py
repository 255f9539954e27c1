"""The id of a request: in the answer, in the problem and in the log, of the client's choice only where it is one short token."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from store.logs import formatter
from store.session import transaction
from store.tables import Job


@pytest.mark.parametrize(
    "path", ["/healthz", "/searches", "/nothing/here", "/docs", "/static/swagger-ui/swagger-ui.css"]
)
def test_every_answer_has_a_new_id(shared: TestClient, path: str) -> None:
    first, second = (shared.get(path).headers["x-request-id"] for _ in range(2))
    assert UUID(first).version == UUID(second).version == 7
    assert first != second


def test_a_client_names_its_request(shared: TestClient) -> None:
    refused = shared.get("/nothing/here", headers={"X-Request-ID": "from-client.1"})
    assert refused.headers["x-request-id"] == refused.json()["request_id"] == "from-client.1"


@pytest.mark.parametrize("given", ["", "two words", "a" * 65, "a,b", 'quote"', "\x1b[31m"])
def test_what_is_no_token_is_not_taken(shared: TestClient, given: str) -> None:
    assert UUID(shared.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"]).version == 7


def test_two_ids_are_none(shared: TestClient) -> None:
    answer = shared.get("/healthz", headers=[("X-Request-ID", "first"), ("X-Request-ID", "second")])
    assert UUID(answer.headers["x-request-id"]).version == 7


def test_lines_of_a_request_have_its_id(shared: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Also that of the thread in which the handler runs; the line of the job that is made names both."""
    caplog.handler.setFormatter(formatter("json"))
    with caplog.at_level(logging.INFO, logger="dna"):
        made = shared.post("/searches", json={"dataset": "digits"}, headers={"X-Request-ID": "mine-7"}).json()
    queued, access = caplog.text.strip().splitlines()
    assert f'"job_id": "{made["id"]}"' in queued
    assert '"request_id": "mine-7"' in queued
    assert '"request_id": "mine-7"' in access
    with transaction(shared.app.state.resources.whole) as session:  # type: ignore[attr-defined]
        assert session.get_one(Job, UUID(made["id"])).request_id == "mine-7", "for who works on it"
