"""What came back of many requests, and what each took of the processor."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import anyio
from schemathesis.engine.recorder import ScenarioRecorder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Method, route, status.
Answer = tuple[str, str, int]


@dataclass
class Tally:
    """What was asked and found so far.

    Attributes:
        answers: how often what was answered.
        costliest: of each method and route the most seconds of CPU that the process took over a request, and its address.
        failures: what is at odds with the document, each once, with a command that shows it.
    """

    answers: Counter[Answer] = field(default_factory=Counter)
    costliest: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return self.answers.total()

    @property
    def worst(self) -> float:
        """Seconds of CPU of the costliest request."""
        return max(seconds for seconds, _ in self.costliest.values())

    def add(self, answer: Answer, seconds: float, address: str) -> None:
        self.answers[answer] += 1
        self.costliest[answer[:2]] = max(self.costliest.get(answer[:2], (0.0, "")), (seconds, address))

    def fail(self, what: str, shown: str) -> None:
        self.failures.setdefault(what, shown)

    def take(self, recorder: ScenarioRecorder) -> None:
        """What the checks have found in requests that belong together."""
        for case, checks in recorder.checks.items():
            for failed in (check for check in checks if check.failure_info is not None):
                where, info = recorder.cases[case].value.operation.label, failed.failure_info
                self.fail(
                    f"{failed.name}: {where}: {info.failure.title}", f"{info.failure.message}\n{info.code_sample}"
                )

    def lines(self) -> Iterator[str]:
        """All of it, for people."""
        for (method, route, status), count in sorted(self.answers.items()):
            yield f"{count:6,} {status} {method} {route}"
        for (method, route), (seconds, address) in sorted(self.costliest.items(), key=lambda item: item[1])[-10:]:
            yield f"{seconds:6.3f} s of CPU at most: {method} {route} ({address})"
        statuses = Counter(status for _, _, status in self.answers.elements())
        yield f"{self.requests:,} requests: " + ", ".join(
            f"{count:,} x {status}" for status, count in sorted(statuses.items())
        )
        yield f"{len(self.failures)} at odds with the document"


class Tallied:
    """An application whose requests are tallied one after another. Of a stream, which would not end, the first piece is read."""

    def __init__(self, app: ASGIApp, tally: Tally) -> None:
        self._app = app
        self._tally = tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        before, status, streams = time.process_time(), 0, False

        async def noted(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status, streams = message["status"], _is_stream(message)
            if reading.cancel_called:
                return
            if streams and message["type"] == "http.response.body":
                message = message | {"more_body": False}
                reading.cancel()
            await send(message)

        with anyio.CancelScope() as reading:
            await self._app(scope, receive, noted)
        route, query = getattr(scope.get("route"), "path", "elsewhere"), scope["query_string"].decode()
        self._tally.add(
            (scope["method"], route, status), time.process_time() - before, f"{scope['path']}?{query}"[:200]
        )


def _is_stream(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in start["headers"])
