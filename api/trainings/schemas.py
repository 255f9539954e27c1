"""What goes out of the routes of trainings."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.searches.schemas import Failure
from dna_engine.accuracy import Accuracy, recorded
from store.states import TrainingState
from store.tables import Training


class TrainingOut(BaseModel):
    """The training of a network."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    architecture_id: UUID
    dataset: str
    network: str = Field(description="`winner` or `control`.")
    state: TrainingState
    progress: float
    eta_seconds: float | None
    test_accuracy: float | None
    test: Accuracy | None = Field(default=None, description="What that accuracy says; known when it is trained.")
    values: dict[str, Any] = Field(description="What the training found, as the engine reports it.")
    error: Failure | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, training: Training) -> TrainingOut:
        return cls.model_validate(training).model_copy(update={"test": recorded(training.values)})
