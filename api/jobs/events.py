"""What the events of a job say, by type: as the stream sends them in `data`, and as the list of events holds them.

They are rows, and some were written by an earlier version: what that did not tell has a default here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.jobs.schemas import Failure
from api.pagination import Page
from dna_engine.plans import Kind, Phase
from store.columns import Json
from store.states import EventType, JobState, StepState
from store.tables import Event


class _Said(BaseModel):
    time: datetime = Field(description="When it was written.")


class StateData(_Said):
    """The job's state or phase has changed."""

    state: JobState = Field(description="Of the job.")
    phase: Phase = Field(description="Of the job.")
    cancel_requested: bool = Field(default=False, description="It was asked to stop and does so within seconds.")
    error: Failure | None = Field(default=None, description="Why it failed.")


class StepData(_Said):
    """A step's state has changed."""

    step: str = Field(description="Key of the step.")
    kind: Kind = Field(description="What the step does.")
    phase: Phase = Field(description="Of the job, to which the step belongs.")
    state: StepState = Field(description="Of the step.")
    attempt: int = Field(description="How often it was begun; 0 before the first time.")
    error: Failure | None = Field(default=None, description="Why its last attempt failed, where one did.")


class ProgressData(_Said):
    """Work was done."""

    step: str = Field(description="Key of the step.")
    done: int = Field(description="Of `total`.")
    total: int = Field(description="In `unit`.")
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
    x: float = Field(description="A training step, or an epoch.")
    y: float = Field(description="What the series tells of it.")


class LogData(_Said):
    """A line for people."""

    step: str | None = Field(default=None, description="Key of the step; null where it is about the whole job.")
    level: Literal["info", "warning", "error"] = Field(default="info", description="How much it matters.")
    message: str = Field(description="In whole sentences.")


class _Numbered(BaseModel):
    seq: int = Field(description="Number of the event, from 1 without a gap; `id` of the stream.")


class StateEvent(_Numbered):
    """The job's state or phase has changed."""

    type: Literal[EventType.STATE] = Field(description="What `data` is of.")
    data: StateData = Field(description="What it says.")


class StepEvent(_Numbered):
    """A step's state has changed."""

    type: Literal[EventType.STEP] = Field(description="What `data` is of.")
    data: StepData = Field(description="What it says.")


class ProgressEvent(_Numbered):
    """Work was done."""

    type: Literal[EventType.PROGRESS] = Field(description="What `data` is of.")
    data: ProgressData = Field(description="What it says.")


class MetricEvent(_Numbered):
    """A point of a series."""

    type: Literal[EventType.METRIC] = Field(description="What `data` is of.")
    data: MetricData = Field(description="What it says.")


class LogEvent(_Numbered):
    """A line for people."""

    type: Literal[EventType.LOG] = Field(description="What `data` is of.")
    data: LogData = Field(description="What it says.")


JobEvent = Annotated[
    StateEvent | StepEvent | ProgressEvent | MetricEvent | LogEvent,
    Field(discriminator="type"),
]


class EventPage(Page[JobEvent]):
    """One page of the events of a job."""

    model_config = ConfigDict(json_schema_extra={"description": "One page of the events of a job."})


_ADAPTER: TypeAdapter[JobEvent] = TypeAdapter(JobEvent)


def said(event: Event) -> Json:
    """The data of an event with its time, as JSON."""
    return {**event.data, "time": event.created_at.isoformat().replace("+00:00", "Z")}


def shown(event: Event) -> JobEvent:
    """The event as a list holds it."""
    return _ADAPTER.validate_python({"seq": event.seq, "type": event.type, "data": said(event)})
