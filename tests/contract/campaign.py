"""Requests made from the OpenAPI document: valid, almost valid and wrong, alone and one after another as the document links them. What
comes back is held against the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import schemathesis
from schemathesis import Case, Config, HookContext, openapi
from schemathesis.engine import events, from_schema
from schemathesis.hooks import unregister

from tests.contract.tally import Tallied, Tally

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

#: How often a value that is known to name something is taken, instead of one made up.
_KNOWN = 0.6

_NUMBERS = count(1)

#: Checks that do not hold here, or hold with other statuses, and why.
_CHECKS: dict[str, Any] = {
    # A document cannot say all: that a dataset must exist, that a budget must let a network through, how a cursor is made.
    "positive_data_acceptance": {"enabled": False},
    # Uploads first ask for the version of tus (412); a body may be too large before it is wrong (413).
    "negative_data_rejection": {
        "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "429"]
    },
    "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "409", "412", "415", "422"]},
}

#: ``estimate`` and ``me`` may be ids: other methods answer 404, as for any id of nothing, where the check expects 405.
_OPERATIONS = [
    {"include-path": path, "checks": {"unsupported_method": {"enabled": False}}}
    for path in ("/searches/estimate", "/tunings/estimate", "/keys/me")
]


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """What the events of a stream are is said under the name that OpenAPI 3.2 gives it, by which it is looked for."""
    for operation in (operation for methods in raw_schema["paths"].values() for operation in methods.values()):
        for response in operation["responses"].values():
            if (item := response.get("content", {}).get("text/event-stream", {}).get("x-itemSchema")) is not None:
                response["content"]["text/event-stream"] = {"itemSchema": item}


@dataclass(frozen=True)
class Campaign:
    """How requests are made.

    Attributes:
        key: of a caller who may do everything; ``key_id`` is its id.
        seed: they are drawn by it.
        examples: how many of each operation, and how many walks along the links.
        coverage: whether every limit of every field is tried too: some thousands of requests.
        known: values of parameters, by their place and name, that name something.
    """

    key: str
    key_id: str
    seed: int
    examples: int
    coverage: bool = False
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def run(self, app: Tallied, tally: Tally) -> None:
        """Sends the requests to an application, whose tally is told what is wrong."""
        schema = openapi.from_asgi("/openapi.json", app, config=Config.from_dict(self._config()))

        @schemathesis.hook
        def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
            self._keep_apart(case)

        try:
            for event in from_schema(schema).execute():
                _take(event, tally)
        finally:
            unregister(before_call)

    def _keep_apart(self, case: Case) -> None:
        """Keeps two requests from changing what others mean: the caller's own key stays, and no key of a request comes twice, since what the
        first has made may be deleted when the second is told of it."""
        if case.path_parameters.get("key_id") == self.key_id:
            case.path_parameters["key_id"] = str(UUID(int=0))
        if key := case.headers.get("idempotency-key"):
            number = str(next(_NUMBERS))
            case.headers["idempotency-key"] = f"{number}-{key[len(number) + 1 :]}"

    def _config(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "auth": {"openapi": {"HTTPBearer": {"bearer": self.key}}},
            "generation": {"database": "none", "no-shrink": True, "max-examples": self.examples},
            "phases": {"coverage": {"enabled": self.coverage}},
            "checks": _CHECKS,
            "operations": _OPERATIONS,
            "dictionaries": {name: {"values": list(values)} for name, values in self.known.items()},
            "parameters": {name: {"dictionary": name, "probability": _KNOWN} for name in self.known},
        }


def _take(event: events.EngineEvent, tally: Tally) -> None:
    match event:
        case events.ScenarioFinished():
            tally.take(event.recorder)
        case events.NonFatalError():
            tally.fail(f"no request could be made: {event.label}", event.info.format())
        case events.FatalError():
            raise event.exception
