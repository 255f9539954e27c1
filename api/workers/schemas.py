"""What goes out of the routes of workers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.changes.schemas import ChangeKind
from dna_engine.plans import Kind


class RunningStep(BaseModel):
    """What a worker is at."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Of the step, UUIDv7.")
    job_id: UUID = Field(description="Of the search, training, tuning, timing or dataset that it is part of.")
    key: str = Field(description="Its name within the job, such as `distill-1`.")
    kind: Kind = Field(description="What it does.")
    job_kind: ChangeKind = Field(description="What it is part of; of a dataset its check.")
    job_name: str = Field(description="How that is called.")
    started_at: datetime | None = Field(description="When the worker took it.")


class WorkerOut(BaseModel):
    """A live worker. It drives one device, or several that a training may ask for."""

    id: UUID = Field(description="Of the worker, UUIDv7; another one when it is started anew.")
    hostname: str = Field(description="Of its machine.")
    pid: int = Field(description="Of its process there.")
    device: str = Field(description="That its steps run on: `cpu`, `cuda:0`, `mps`.")
    device_name: str = Field(description="The same by its maker's name.")
    devices: int = Field(description="The most that a step may have here; 0 where no step comes that needs one.")
    queues: list[str] = Field(description="From which it takes steps.")
    versions: dict[str, str] = Field(description="Of what its results depend on, by package.")
    memory_bytes: int | None = Field(
        default=None,
        description="Of its device, of several GPUs in all; for `cpu` of its machine. Null where nothing tells.",
    )
    memory_used_bytes: int | None = Field(
        default=None,
        description="What is taken of that just now, by whatever runs there; what the system would give back at once does not count.",
    )
    utilization: float | None = Field(
        default=None,
        description="How busy its device was in the last seconds, 0 to 1, by whatever runs there; of several GPUs on average, for `cpu` that of "
        "its machine. Null where nothing tells.",
    )
    redis_answers: bool | None = Field(
        default=None,
        description="Whether Redis answers it. Where it does not, nothing wakes the worker: it lives, ends what it runs, and takes nothing. Null "
        "of one that has only just started, or is of an earlier version.",
    )
    busy: bool = Field(description="Whether it runs something.")
    step: RunningStep | None = Field(
        description="What it runs; null while it waits, and where that is of a project that the key does not see."
    )
    started_at: datetime = Field(description="When it was started.")
    last_seen_at: datetime = Field(description="When it was heard of last.")
