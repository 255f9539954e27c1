"""Traces, as a collector gets them: one of each job, from the request that made it to its last step."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store.session import transaction
from store.states import StepState
from store.tables import Job
from store.tracing import NO_TRACES, open_tracer
from tests.worker.conftest import Bench, Stage
from worker.settings import WorkerSettings
from worker.slot import open_slot


class Collector(ThreadingHTTPServer):
    """Takes what an OpenTelemetry collector takes: protobuf by HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: dict[str, list[Span]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def named(self, name: str) -> list[Span]:
        """Of that name, as they began."""
        found = [span for spans in self.spans.values() for span in spans if span.name == name]
        return sorted(found, key=lambda span: span.start_time_unix_nano)


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        message = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in message.resource_spans:
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.server.spans.setdefault(about["service.name"], []).extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector
        collector.shutdown()
        thread.join()


def about(span: Span) -> dict[str, str]:
    return {each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes}


def test_a_job_is_one_trace_from_its_request_to_its_steps(
    collector: Collector, worker_settings: WorkerSettings
) -> None:
    """Though a worker and the API, started one after the other, have nothing in common but the job's row."""
    caller = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    settings = ApiSettings(
        database_url=worker_settings.database_url,
        redis_url=worker_settings.redis_url,
        data_dir=worker_settings.data_dir,
        embedded=True,
    )
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        client.get("/healthz")
        made = client.post(
            "/searches", json={"dataset": "digits"}, headers={"traceparent": caller, "X-Request-ID": "mine"}
        )
    with open_slot(worker_settings, Stage("cpu", "A processor"), ["gpu"]) as slot:
        bench = Bench.of(slot, UUID(made.json()["id"]))
        bench.run("crash")
        bench.run("good")
    assert {name: len(spans) for name, spans in collector.spans.items()} == {"dna-api": 1, "dna-worker": 7}
    (post,), (failed, good) = collector.named("POST /searches"), collector.named("teacher")
    assert (post.trace_id.hex(), post.parent_span_id.hex()) == ("ab" * 16, "cd" * 8)
    assert about(post)["http.response.status_code"] == "201"
    assert about(post)["dna.request.id"] == "mine"
    assert {span.trace_id for spans in collector.spans.values() for span in spans} == {post.trace_id}
    assert {failed.parent_span_id, good.parent_span_id} == {post.span_id}
    assert [about(span)["dna.step.attempt"] for span in (failed, good)] == ["1", "2"]
    assert about(good)["dna.job.id"] == made.json()["id"]
    assert [span.status.code for span in (failed, good)] == [Status.STATUS_CODE_ERROR, Status.STATUS_CODE_UNSET]
    assert failed.status.message.startswith("engine_crashed")
    for name, attempts in (("inputs", [failed, good]), ("engine", [failed, good]), ("outputs", [good])):
        assert [span.parent_span_id for span in collector.named(name)] == [span.span_id for span in attempts]


@pytest.mark.parametrize("given", ["", "00-zz-1", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "a" * 4000])
def test_what_is_no_traceparent_begins_a_trace(collector: Collector, given: str) -> None:
    tracer = open_tracer("dna-api")
    with tracer.span("alone", parent=given):
        pass
    tracer.close()
    (span,) = collector.named("alone")
    assert not span.parent_span_id


def test_a_collector_that_is_away_keeps_nobody(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    """The SDK alone waits for 27 seconds at the end."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # It lets in whoever comes, and answers nobody.
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        bench.slot.tracer = open_tracer("dna-worker")
        assert bench.run("good").state == StepState.SUCCEEDED
        begun = time.monotonic()
        bench.slot.tracer.close()
        assert time.monotonic() - begun < 20.0


def test_without_a_collector_nothing_is_traced(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert open_tracer("dna-worker") is NO_TRACES
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert open_tracer("dna-worker") is NO_TRACES
    with transaction(bench.slot.sessions) as session:
        assert session.get_one(Job, bench.job_id).traceparent is None
