"""Spans by OpenTelemetry's SDK, sent as OTLP over HTTP from a thread of its own. Imported where traces are switched on, and nowhere else."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from store.tracing import Attributes, Kind, Span, current, under_way

_KINDS = {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER, "internal": SpanKind.INTERNAL}
_CARRIED = TraceContextTextMapPropagator()

#: What a process that leaves gives a collector to take what was not sent yet, in seconds, and then the attempt to end.
_LAST_SECONDS, _END_SECONDS = 2.0, 0.5


class OtelTracer:
    """Sends spans to the collector that the environment names. None is waited for but at the end: those that find no room are dropped."""

    on = True

    def __init__(self, service: str) -> None:
        about = {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or service,
            "service.version": version("dna-automl"),
        }
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("dna", version("dna-automl"))

    @contextmanager
    def span(
        self, name: str, *, kind: Kind = "internal", parent: str | None = None, attributes: Attributes | None = None
    ) -> Iterator[Span]:
        span = self._tracer.start_span(name, _above(parent or current()), _KINDS[kind], attributes)
        begun = _OtelSpan(span)
        try:
            with under_way(begun.traceparent, trace.format_trace_id(span.get_span_context().trace_id)):
                yield begun
        except BaseException as error:
            begun.fail(type(error).__name__)  # What it says may be a statement with all of its values.
            raise
        finally:
            span.end()

    def close(self) -> None:
        # The SDK itself waits for half a minute where a collector is away, longer than a process has that was told to leave.
        sending = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        sending.start()
        sending.join(_LAST_SECONDS)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # Its annotations are missing.
        sending.join(_END_SECONDS)


class _OtelSpan:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _CARRIED.inject(carrier, trace.set_span_in_context(self._span, Context()))
        return carrier.get("traceparent")

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        self._span.set_status(StatusCode.ERROR, reason)


def _above(traceparent: str | None) -> Context:
    """Where nothing is above it, or what is said to be is no ``traceparent``, a span begins a trace."""
    return _CARRIED.extract({"traceparent": traceparent} if traceparent else {}, Context())
