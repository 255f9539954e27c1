"""What goes out of the routes of workers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.plans import Kind


class RunningStep(BaseModel):
    """What a worker is at."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    job_id: UUID
    key: str
    kind: Kind


class WorkerOut(BaseModel):
    """A live worker. It drives one device, or several that a training may ask for."""

    id: UUID
    hostname: str
    pid: int
    device: str
    device_name: str
    devices: int = Field(description="The most that a step may have here; 0 where no step comes that needs one.")
    queues: list[str]
    versions: dict[str, str]
    step: RunningStep | None
    started_at: datetime
    last_seen_at: datetime
