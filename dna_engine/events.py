"""What the engine says while it works: one JSON object per line on standard output. Torch-free.

The supervisor of the service and a person at a terminal read the same lines.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, TextIO

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class Progress(_Event):
    """Work done so far in this step. ``parts`` names the cells or networks that advance, e.g. ``b1c1`` or ``winner``."""

    event: Literal["progress"] = "progress"
    done: int
    total: int
    unit: str = "steps"
    eta_seconds: float | None = None
    parts: list[str] = Field(default_factory=list)


class Metric(_Event):
    """One point of a series, e.g. series ``distill/b1c1/loss``, ``x`` a training step."""

    event: Literal["metric"] = "metric"
    series: str
    x: float
    y: float


class Log(_Event):
    event: Literal["log"] = "log"
    level: Literal["info", "warning", "error"] = "info"
    message: str


class Checkpoint(_Event):
    """A checkpoint was written, atomically; ``name`` is its path inside the run folder."""

    event: Literal["checkpoint"] = "checkpoint"
    name: str


class Result(_Event):
    """The step is done. ``artifacts`` are paths inside the run folder, ``values`` what is worth keeping in a row."""

    event: Literal["result"] = "result"
    artifacts: list[str]
    values: dict[str, Any] = Field(default_factory=dict)


class Failure(_Event):
    """The step failed for a reason the engine can name; ``error`` is ``EngineError.to_dict()``."""

    event: Literal["failure"] = "failure"
    error: dict[str, Any]


Event = Annotated[Progress | Metric | Log | Checkpoint | Result | Failure, Field(discriminator="event")]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(line: str) -> Event:
    """An event from its line.

    Raises:
        pydantic.ValidationError: the line is not an event.
    """
    return _ADAPTER.validate_json(line)


class Reporter:
    """Where events go. The default writes JSON lines; ``pipeline.py`` and tests subclass ``emit``."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def emit(self, event: _Event) -> None:
        self._stream.write(event.model_dump_json() + "\n")
        self._stream.flush()
