"""What nobody expected, and what the framework refuses in its own words, is a problem with all that answers have."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from api.app import surround
from tests.api.problems import problem


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def client(registry: CollectorRegistry) -> TestClient:
    app = FastAPI(openapi_url=None)

    @app.get("/fails")
    def fail() -> None:
        raise ZeroDivisionError("a secret of the service")

    @app.get("/refuses")
    def refuse() -> Response:
        return PlainTextResponse("Not that part", 416, {"Content-Range": "bytes */5", "X-Else": "no"})

    @app.get("/breaks")
    def break_off() -> Response:
        def pieces() -> object:
            yield b"begun"
            raise ZeroDivisionError

        return StreamingResponse(pieces())  # type: ignore[arg-type]

    surround(app, registry)
    return TestClient(app, raise_server_exceptions=False)


def test_a_fault_of_the_service_is_a_problem_like_any_other(client: TestClient, registry: CollectorRegistry) -> None:
    answer = client.get("/fails", headers={"X-Request-ID": "mine"})
    body = problem(answer, 500, "internal")
    assert (body["request_id"], answer.headers["x-request-id"]) == ("mine", "mine")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    said = {"method": "GET", "route": "/fails", "status": "500"}
    assert registry.get_sample_value("dna_http_requests_total", said) == 1


def test_a_bare_refusal_keeps_its_words_and_what_belongs_to_it(client: TestClient) -> None:
    answer = client.get("/refuses")
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (416, "application/problem+json")
    assert (body["detail"], answer.headers["content-range"]) == ("Not that part.", "bytes */5")
    assert body["type"].startswith("urn:dna:error:")
    assert "x-else" not in answer.headers


def test_an_answer_that_has_begun_is_cut(client: TestClient) -> None:
    client = TestClient(client.app)
    with pytest.raises(ZeroDivisionError):
        client.get("/breaks")
