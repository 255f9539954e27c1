"""What goes out of the routes of projects."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from store.states import JobState


class ProjectOut(BaseModel):
    """A project, and what all its keys use together."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="What its keys name, and `project` of what they make.")
    created_at: datetime = Field(description="When it was made.")
    keys: int = Field(description="Its keys that were not revoked.")
    jobs: dict[JobState, int] = Field(
        description="How many of its jobs of every kind are in which state, checks of datasets among them."
    )
    device_hours: float = Field(
        description="Hours of devices that jobs of its keys took over the last 30 days, also of jobs that were deleted since."
    )
    stored_bytes: int = Field(description="Bytes of its datasets and teachers.")
