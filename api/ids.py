"""The ids that paths name things by."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path

ArchitectureId = Annotated[UUID, Path(description="Id of the network.")]
SearchId = Annotated[UUID, Path(description="Id of the search.")]
TrainingId = Annotated[UUID, Path(description="Id of the training.")]
TuningId = Annotated[UUID, Path(description="Id of the tuning.")]
UploadId = Annotated[UUID, Path(description="Id of the upload, the last part of its `Location`.")]
