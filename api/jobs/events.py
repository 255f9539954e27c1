"""What the events of a job say, by type: as the stream sends them in `data`, and as the list of events holds them.

They are rows, and some were written by an earlier version: what that did not tell has a default here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from api.jobs.schemas import Failure
from dna_engine.plans import Kind, Phase
from store.columns import Json
from store.states import EventType, JobState, StepState
from store.tables import Event


class _Said(BaseModel):
    time: datetime = Field(description="When it was written.")


class StateData(_Said):
    """The job's state or phase has changed."""

    state: JobState
    phase: Phase
    cancel_requested: bool = Field(default=False, description="It was asked to stop and does so within seconds.")
    error: Failure | None = Field(default=None, description="Why it failed.")


class StepData(_Said):
    """A step's state has changed."""

    step: str = Field(description="Key of the step.")
    kind: Kind
    phase: Phase
    state: StepState
    attempt: int
    error: Failure | None = Field(default=None, description="Why its last attempt failed, where one did.")


class ProgressData(_Said):
    """Work was done."""

    step: str = Field(description="Key of the step.")
    done: int
    total: int
    unit: str = Field(description="What `done` and `total` count, such as steps, images, networks.")
    parts: list[str] = Field(default=[], description="The cells or networks that advance just now.")
    eta_seconds: float | None = Field(default=None, description="Left of the step, as it says itself.")
    phase: Phase = Field(description="Of the job.")
    progress: float = Field(ge=0, le=1, description="Of the whole job.")
    job_eta_seconds: float | None = Field(default=None, description="Left of the whole job, where it can be said.")


class MetricData(_Said):
    """A point of a series; the same again when its step goes on from a checkpoint."""

    step: str = Field(description="Key of the step.")
    series: str = Field(description="Such as `distill/b1c1/loss`.")
    x: float
    y: float


class LogData(_Said):
    """A line for people."""

    step: str | None = Field(default=None, description="Key of the step; null where it is about the whole job.")
    level: Literal["info", "warning", "error"] = "info"
    message: str


class _Numbered(BaseModel):
    seq: int = Field(description="Number of the event, from 1 without a gap; `id` of the stream.")


class StateEvent(_Numbered):
    type: Literal[EventType.STATE]
    data: StateData


class StepEvent(_Numbered):
    type: Literal[EventType.STEP]
    data: StepData


class ProgressEvent(_Numbered):
    type: Literal[EventType.PROGRESS]
    data: ProgressData


class MetricEvent(_Numbered):
    type: Literal[EventType.METRIC]
    data: MetricData


class LogEvent(_Numbered):
    type: Literal[EventType.LOG]
    data: LogData


JobEvent = Annotated[
    StateEvent | StepEvent | ProgressEvent | MetricEvent | LogEvent,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[JobEvent] = TypeAdapter(JobEvent)


def said(event: Event) -> Json:
    """The data of an event with its time, as JSON."""
    return {**event.data, "time": event.created_at.isoformat().replace("+00:00", "Z")}


def shown(event: Event) -> JobEvent:
    """The event as a list holds it."""
    return _ADAPTER.validate_python({"seq": event.seq, "type": event.type, "data": said(event)})
