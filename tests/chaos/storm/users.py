"""People who use the service meanwhile: they make, cancel, resume and delete jobs, and ask again where they are told to."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from typing import Any
from uuid import UUID

import httpx

from tests.chaos.storm.jobs import NETWORK, SPECS, spec_of
from tests.chaos.storm.rig import Rig

#: How long a user goes on to ask.
PATIENCE = 120.0


class Users:
    """Attributes:
    running: jobs that are to succeed, with the route each was made by.
    cancelled, deleted: those that were cancelled for good, and those that were deleted.
    answers: of the API while it was stormed upon, by status; 0: there was none.
    offences: answers that nobody should ever get.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._http = httpx.Client(base_url=rig.url, timeout=30.0)
        self._network = ""
        self.running: dict[UUID, str] = {}
        self.cancelled: dict[UUID, str] = {}
        self.deleted: list[UUID] = []
        self.answers: Counter[int] = Counter()
        self.offences: list[str] = []

    def close(self) -> None:
        self._http.close()

    def make(self, route: str) -> UUID:
        """A job, one however often the request has to be sent."""
        made = self.insist("POST", f"/{route}", spec_of(route, self._architecture()))
        assert made.status_code == 201, made.text
        return UUID(made.json()["id"])

    def make_all(self) -> dict[UUID, str]:
        """One of each kind."""
        made = {self.make(route): route for route in SPECS}
        self.running |= made
        return made

    def insist(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Asks until the service decides, as its documentation advises: after no answer, 503 and 409 to a repeat that came too early."""
        headers = {"idempotency-key": secrets.token_hex(8)}
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._ask(method, path, body, headers)
            if answer is not None and answer.status_code != 503 and "in_flight" not in answer.text:
                return answer
            assert time.monotonic() < deadline, f"{method} {path}: {answer and answer.text}"
            time.sleep(0.2)

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response | None:
        try:
            answer = self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            self.answers[0] += 1
            return None
        self.answers[answer.status_code] += 1
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.offences.append(f"{method} {path}: 503 without Retry-After: {answer.text}")
        if answer.status_code >= 500 and answer.status_code not in (503, 507):
            self.offences.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def _architecture(self) -> str:
        if not self._network:
            self._network = self.insist("POST", "/architectures", NETWORK).json()["id"]
        return self._network
