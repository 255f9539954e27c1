"""Traces: what is done for a job, from the request that made it to its last step, as spans that an OpenTelemetry collector is sent.

It is switched on as everywhere, by ``OTEL_EXPORTER_OTLP_ENDPOINT``; the other variables of OpenTelemetry hold too. Else nothing of it is
imported, and a span is nothing. Spans of several processes are one trace because the job's row has the ``traceparent`` of the request that
made it: so it lasts as long as the job, whatever is restarted meanwhile.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

import structlog

logger = logging.getLogger("dna.store.tracing")

#: Whose values are numbers, texts or flags.
Attributes = Mapping[str, str | int | float | bool]

Kind = Literal["server", "consumer", "internal"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


class Span(Protocol):
    """Something that takes time."""

    @property
    def traceparent(self) -> str | None:
        """As W3C writes it, for those below it; None where it is not traced."""

    def name(self, name: str) -> None:
        """What it is called, where that was not known when it began."""

    def note(self, attributes: Attributes) -> None:
        """What is known of it."""

    def fail(self, reason: str) -> None:
        """It did not come to what it was for."""


class Tracer(Protocol):
    """Where spans go."""

    on: bool

    def span(
        self, name: str, *, kind: Kind = "internal", parent: str | None = None, attributes: Attributes | None = None
    ) -> AbstractContextManager[Span]:
        """A span as long as the block, below ``parent``, or else below the one that is under way here."""

    def close(self) -> None:
        """Sends what was not sent yet, for a few seconds at most."""


def current() -> str | None:
    """The ``traceparent`` of the span that is under way here; None where there is none."""
    return _traceparent.get()


@contextmanager
def under_way(traceparent: str | None, trace_id: str | None) -> Iterator[None]:
    """Inside the block the span is under way, and lines of the log name its trace."""
    before = _traceparent.set(traceparent)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            yield
    finally:
        _traceparent.reset(before)


def open_tracer(service: str) -> Tracer:
    """Of a process, by the environment.

    Args:
        service: ``dna-api`` or ``dna-worker``, unless ``OTEL_SERVICE_NAME`` says otherwise.
    """
    wanted = any(os.environ.get(name) for name in _ENDPOINTS)
    if not wanted or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return NO_TRACES
    try:
        from store.otel import OtelTracer  # It loads a second of packages, which an installation may lack.
    except ImportError as error:
        logger.warning("%s is set, and nothing is traced: pip install 'dna-automl[otel]' (%s)", _ENDPOINTS[0], error)
        return NO_TRACES
    return OtelTracer(service)


class _NoSpan:
    traceparent: str | None = None

    def name(self, name: str) -> None:
        pass

    def note(self, attributes: Attributes) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass


class _NoTraces:
    on = False

    @contextmanager
    def span(
        self,
        name: str,  # noqa: ARG002
        *,
        kind: Kind = "internal",  # noqa: ARG002
        parent: str | None = None,  # noqa: ARG002
        attributes: Attributes | None = None,  # noqa: ARG002
    ) -> Iterator[Span]:
        yield _NO_SPAN

    def close(self) -> None:
        pass


_NO_SPAN = _NoSpan()
NO_TRACES: Tracer = _NoTraces()
