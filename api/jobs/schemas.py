"""What jobs of all kinds say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.images.info import DatasetInfo
from dna_engine.plans import Kind, Phase
from dna_engine.spec import Priority, ResolvedAlone, ResolvedNetworks, ResolvedSpec
from store.states import JobState, StepState
from store.tables import Step

Spec = TypeVar("Spec", bound=ResolvedNetworks)


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Failure(BaseModel):
    """Why a job or a step failed."""

    code: str = Field(description="Stable, snake_case: the kind of failure.")
    message: str = Field(description="What happened and what to do.")
    param: str | None = Field(
        default=None, description="Field of the spec that is at fault, such as `budget.flops`; null where none is."
    )
    step: str | None = Field(default=None, description="Key of the step that failed.")


class JobStep(Row):
    """A unit of work. `done` of `total` counts in `unit`; `parts` are the cells or networks that advance just now."""

    id: UUID = Field(description="Of the step, UUIDv7.")
    key: str = Field(description="Its name within the job, such as `distill-1`.")
    kind: Kind = Field(description="What it does.")
    phase: Phase = Field(description="Of the job, to which it belongs.")
    queue: str = Field(description="On which workers take it.")
    state: StepState = Field(description="Of the step.")
    attempt: int = Field(description="How often it was begun; 0 before the first time.")
    max_attempts: int = Field(description="After so many that crashed it fails.")
    cells: list[str] = Field(description="The cells of the space that it is about, such as `b1c2`.")
    network: str | None = Field(
        description="The network that it is about, such as `winner`; null where it is about none."
    )
    done: int = Field(description="Of `total`.")
    total: int = Field(description="In `unit`; 0 before that is known.")
    unit: str = Field(description="What is counted, such as `steps` or `images`.")
    parts: list[str] = Field(description="Cells or networks that advance just now.")
    eta_seconds: float | None = Field(description="Until it is done; null where that cannot be told.")
    engine_seconds: float = Field(description="Time the engine ran for it, over all attempts.")
    device: str | None = Field(description="It runs or ran on, such as `cuda:0`; null before it was begun.")
    values: dict[str, Any] = Field(description="What the step found, such as the teacher's accuracy.")
    error: Failure | None = Field(description="Why it failed; null otherwise.")
    queued_at: datetime = Field(description="When it could first be taken, or again.")
    started_at: datetime | None = Field(description="When its last attempt began.")
    finished_at: datetime | None = Field(description="When it ended; null before.")

    @classmethod
    def of(cls, step: Step) -> JobStep:
        fields = {name: getattr(step, name) for name in cls.model_fields if name not in ("cells", "network")}
        return cls(**fields, cells=step.planned.cells, network=step.planned.network)


class JobCounts(BaseModel):
    """How many jobs of a list there are."""

    states: dict[JobState, int] = Field(description="By state; every state is there.")
    total: int = Field(description="All of them.")

    @classmethod
    def of(cls, states: Mapping[JobState, int]) -> JobCounts:
        return cls(states=dict(states), total=sum(states.values()))


class JobSummary(Row):
    """A job as it is listed."""

    id: UUID = Field(description="Of the job, UUIDv7.")
    name: str = Field(description="What it was called, or what suits its spec.")
    state: JobState = Field(description="Of the job.")
    phase: Phase = Field(description="The part of its work that it is at.")
    progress: float = Field(description="0 to 1, over all phases.")
    eta_seconds: float | None = Field(
        description="Until it is finished, without the time that other jobs hold it up; null where that cannot be told yet."
    )
    dataset: str = Field(description="Name of its dataset.")
    seed: int = Field(description="Of all that is random in it.")
    labels: dict[str, str] = Field(description="As they were given.")
    priority: Priority = Field(description="Jobs of a higher one go before those of a lower one.")
    error: Failure | None = Field(description="Why it failed; null otherwise.")
    cancel_requested: bool = Field(
        description="Whether it was asked to stop, and has not stopped yet or stopped for that."
    )
    cloned_from: UUID | None = Field(
        default=None, description="The job whose spec it was made of; null when that was deleted since."
    )
    waiting_for: str | None = Field(
        default=None,
        description="What holds up a job that does not run: jobs before it, as many jobs of its key as may run, that no worker is live, or that its own is not heard of.",
    )
    queue_position: int | None = Field(
        default=None,
        description="Place of a job that waits for a worker, 1 for the next of its queue; null where it does not, and where it waits for other jobs of its key.",
    )
    created_at: datetime = Field(description="When it was asked for.")
    created_by: str | None = Field(
        default=None, description="Name of the key that asked for it; null where that was done without a key."
    )
    project: str | None = Field(
        default=None, description="Name of the project that it is of; null of what ships with the service."
    )
    started_at: datetime | None = Field(description="When its first step was taken; null before.")
    finished_at: datetime | None = Field(description="When it ended; null before.")


class JobDetail(BaseModel):
    """What one job says of itself beside what lists say."""

    written: dict[str, Any] | None = Field(
        description="The spec as it was written, called and labelled as it is now: sent again, it asks for the same. Null for a training of "
        "a search."
    )
    last_event: int = Field(
        description="Number of the last of its events when this was read: `/events?after=` goes on from there without a gap."
    )


class Series(BaseModel):
    """Points `[x, y]` by series, such as `distill/b1c1/loss`, in order of `x`."""

    series: dict[str, list[Annotated[list[float], Field(min_length=2, max_length=2)]]] = Field(
        description="By name, each in order of `x`: a training step, or an epoch."
    )


class SeriesExtent(Row):
    """A series, and how much of it there is."""

    name: str = Field(description="Such as `distill/b1c1/loss`.")
    points: int = Field(description="How many there are so far.")
    first: float = Field(description="The least `x`: a training step, or an epoch.")
    last: float = Field(description="The largest `x`.")


class SeriesPoint(Row):
    """A point of a series."""

    x: float = Field(description="A training step, or an epoch.")
    y: float = Field(description="What the series tells of it.")


def shown(spec: Spec) -> Spec:
    """The spec without the folders that the images lie in, which are the service's affair."""
    teacher = spec.teacher if isinstance(spec, ResolvedSpec | ResolvedAlone) else None
    if teacher is not None and teacher.given is not None and teacher.given.taught is not None:
        given = teacher.given.model_copy(update={"taught": _anywhere(teacher.given.taught)})
        spec = spec.model_copy(update={"teacher": teacher.model_copy(update={"given": given})})
    return spec.model_copy(update={"dataset": _anywhere(spec.dataset)})


def _anywhere(dataset: DatasetInfo) -> DatasetInfo:
    return dataset.model_copy(update={"location": dataset.name}) if dataset.kind == "folder" else dataset
