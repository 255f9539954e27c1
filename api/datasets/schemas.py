"""What goes out of the routes of datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from store.states import DatasetState
from store.tables import Dataset


class DatasetOut(BaseModel):
    """Images to search on. Where they lie is the service's affair."""

    id: UUID
    name: str
    state: DatasetState
    kind: str = Field(
        description="builtin: ships with the service; folder: class folders of the server; upload: sent as an archive; timm: a name timm knows."
    )
    num_classes: int
    num_train: int
    num_val: int = Field(
        default=0,
        description="Images given to decide by, beside those to test with. Without, some are held out of those to train with.",
    )
    num_test: int
    image_size: int = Field(description="Side in pixels as stored.")
    class_names: list[str]
    left_out: list[str] = Field(
        default_factory=list, description="What lay beside the images and is not used, a sentence each."
    )
    warnings: list[str] = Field(
        default_factory=list, description="What makes an accuracy on these images say little, a sentence each."
    )
    fingerprint: str | None = Field(description="Changes when the images do.")
    error: dict[str, Any] | None
    created_at: datetime

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetOut:
        shown = {name: value for name, value in dataset.info.items() if name in cls.model_fields}
        return cls(
            **shown,
            id=dataset.id,
            state=dataset.state,
            fingerprint=dataset.fingerprint,
            error=dataset.error,
            created_at=dataset.created_at,
        )
