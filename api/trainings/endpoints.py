"""Routes of trainings: read."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends

from api.auth import authenticate
from api.deps import SessionDep
from api.openapi import problems
from api.trainings.schemas import TrainingOut
from store import trainings

router = APIRouter(
    prefix="/trainings",
    tags=["trainings"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 404, 503),
)


@router.get("/{training_id}", response_model=TrainingOut)
def get_training(training_id: UUID, session: SessionDep) -> TrainingOut:
    """The training of a network: state, progress, accuracy and what it says."""
    return TrainingOut.of(trainings.get(session, training_id))
