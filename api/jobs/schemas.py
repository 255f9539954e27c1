"""What jobs of all kinds say of themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.images.info import DatasetInfo
from dna_engine.plans import Kind, Phase
from dna_engine.spec import ResolvedAlone, ResolvedNetworks, ResolvedSpec
from store.states import JobState, StepState
from store.tables import Step

Spec = TypeVar("Spec", bound=ResolvedNetworks)


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Failure(BaseModel):
    """Why a job or a step failed."""

    code: str
    message: str
    param: str | None = None
    step: str | None = Field(default=None, description="Key of the step that failed.")


class JobStep(Row):
    """A unit of work. `done` of `total` counts in `unit`; `parts` are the cells or networks that advance just now."""

    id: UUID
    key: str
    kind: Kind
    phase: Phase
    queue: str
    state: StepState
    attempt: int
    max_attempts: int
    cells: list[str]
    network: str | None
    done: int
    total: int
    unit: str
    parts: list[str]
    eta_seconds: float | None
    engine_seconds: float = Field(description="Time the engine ran for it, over all attempts.")
    device: str | None
    values: dict[str, Any] = Field(description="What the step found, such as the teacher's accuracy.")
    error: Failure | None
    queued_at: datetime
    started_at: datetime | None = Field(description="When its last attempt began.")
    finished_at: datetime | None

    @classmethod
    def of(cls, step: Step) -> JobStep:
        fields = {name: getattr(step, name) for name in cls.model_fields if name not in ("cells", "network")}
        return cls(**fields, cells=step.planned.cells, network=step.planned.network)


class JobSummary(Row):
    """A job as it is listed."""

    id: UUID
    name: str
    state: JobState
    phase: Phase
    progress: float = Field(description="0 to 1, over all phases.")
    eta_seconds: float | None
    dataset: str
    seed: int
    labels: dict[str, str]
    error: Failure | None
    cancel_requested: bool
    waiting_for: str | None = Field(
        default=None,
        description="What holds up a job that does not run: jobs before it, or that no worker is live.",
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Series(BaseModel):
    """Points `[x, y]` by series, such as `distill/b1c1/loss`, in order of `x`."""

    series: dict[str, list[Annotated[list[float], Field(min_length=2, max_length=2)]]]


def shown(spec: Spec) -> Spec:
    """The spec without the folders that the images lie in, which are the service's affair."""
    teacher = spec.teacher if isinstance(spec, ResolvedSpec | ResolvedAlone) else None
    if teacher is not None and teacher.given is not None and teacher.given.taught is not None:
        given = teacher.given.model_copy(update={"taught": _anywhere(teacher.given.taught)})
        spec = spec.model_copy(update={"teacher": teacher.model_copy(update={"given": given})})
    return spec.model_copy(update={"dataset": _anywhere(spec.dataset)})


def _anywhere(dataset: DatasetInfo) -> DatasetInfo:
    return dataset.model_copy(update={"location": dataset.name}) if dataset.kind == "folder" else dataset
