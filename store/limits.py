"""What a key may use, and which of it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field, NonNegativeFloat

from dna_engine.fields import Written
from dna_engine.spec.count import Count, Limit
from dna_engine.spec.parts import Priority

#: Seconds over which requests are counted at most: one in so many is the smallest rate.
LONGEST_WINDOW = 60


class Scope(StrEnum):
    """What a key may do; none includes another.

    READ: ask for anything that is its project's.
    RUN: make, send, try, change, cancel, resume and delete it.
    ADMIN: what concerns the whole service, keys above all; sees every project.
    """

    READ = "read"
    RUN = "run"
    ADMIN = "admin"


class Limits(Written):
    """The most that one key may use; null for no limit."""

    model_config = ConfigDict(frozen=True, strict=True)  # Else false were a limit of nothing.

    running_jobs: Limit | None = Field(
        default=None, description="Jobs that run at once. Beyond it they wait in the queue."
    )
    queued_jobs: Count | None = Field(
        default=None, description="Jobs that wait in the queue. Beyond it the answer is a 429."
    )
    device_hours: NonNegativeFloat | None = Field(
        default=None,
        description="Hours of devices that the engine took for its jobs, over the last 30 days. Beyond it no job is begun: a 403, and those in the queue wait.",
    )
    requests_per_second: float | None = Field(
        default=None,
        ge=1 / LONGEST_WINDOW,
        le=1e6,
        description="Requests, by the second, or by as few seconds as make a whole number of it. Beyond it the answer is a 429.",
    )
    stored_bytes: Count | None = Field(
        default=None,
        description="Bytes of datasets, teachers and uploads that are kept. Beyond it the answer is a 403.",
    )
    priority: Priority | None = Field(
        default=None,
        strict=False,
        description="The highest priority of its jobs: low, normal or high. Beyond it the answer is a 403.",
    )
