"""What the stream of changes says."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from dna_engine.plans import Phase
from store.states import JobKind


class ChangeKind(StrEnum):
    """What a change is of: a job of a kind, or the check of a dataset."""

    SEARCH = "search"
    TRAINING = "training"
    TUNING = "tuning"
    TIMING = "timing"
    DATASET = "dataset"

    @classmethod
    def of(cls, kind: JobKind) -> ChangeKind:
        """As people know it: nobody asks for a check by itself."""
        return cls.DATASET if kind == JobKind.CHECK else cls(kind.value)


class ChangeState(StrEnum):
    """The states of a job, and that it is there no more."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETED = "deleted"


class HelloData(BaseModel):
    """From now on changes are told. What is known from before may be old: read it again."""

    ping_seconds: float = Field(
        description="A stream that says nothing for much longer than this, not even a comment, is broken: connect again."
    )


class ChangeData(BaseModel):
    """Something of a job has changed, and this is how it is."""

    kind: ChangeKind = Field(description="What it is; `dataset` tells of the check of one.")
    id: UUID = Field(description="Of the search, training, tuning, timing or dataset.")
    state: ChangeState = Field(description="Of the job, of a dataset that of its check; `deleted` where it is gone.")
    phase: Phase | None = Field(description="The part of its work that it is at; null where it is gone.")
    progress: float | None = Field(description="0 to 1, over all phases; null where it is gone.")
    eta_seconds: float | None = Field(
        description="Until it is finished; null where that cannot be told, is over, or it is gone."
    )
