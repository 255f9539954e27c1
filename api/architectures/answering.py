"""What a trained network answers to a picture: by its ONNX file, whether that is of a search or of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.architectures.picture import BODY, PictureRoute
from api.architectures.schemas import ClassOut, PredictionOut
from api.auth import CallerDep
from api.deps import UPLOAD, ResourcesDep
from api.openapi import problems
from api.resources import Resources
from dna_engine.images.pictures.file import HeldFile
from store import artifacts
from store.columns import Json
from store.keys import Caller
from store.session import transaction
from store.tables import Artifact


@dataclass(frozen=True)
class Answering:
    """What answers: the file, how it wants its pictures, and of what it is."""

    artifact: Artifact
    preprocessing: Json
    architecture_id: UUID | None
    training_id: UUID | None


TopK = Annotated[int, Query(ge=1, le=1000, description="How many classes.")]


def router(of: str) -> APIRouter:
    """For routes that take a picture: of their own, so that a caller is known, and no transaction open, before it is read."""
    return APIRouter(prefix=f"/{of}", tags=[of], route_class=PictureRoute, responses=problems(401, 403, 422, 503))


def _counted(caller: CallerDep, resources: ResourcesDep) -> None:
    """Before the picture is received.

    Raises:
        TooManyRequests: the caller has tried networks too often in the last minute.
    """
    resources.prediction_rate.count(caller.owner)


#: What every route has that answers to a picture.
ROUTE: dict[str, Any] = {
    "response_model": PredictionOut,
    "responses": problems(400, 404, 409, 413, 415, 429),
    "openapi_extra": BODY,
    "dependencies": [Depends(_counted), UPLOAD],
}


async def answer(
    resources: Resources, caller: Caller, find: Callable[[Session], Answering], picture: HeldFile, top_k: int
) -> PredictionOut:
    """What is found answers to a picture, in its turn. No transaction is open while it computes.

    Raises:
        DataError: the picture cannot be read.
        NotFound, Conflict: as ``find`` does.
    """

    def predict() -> PredictionOut:
        with transaction(resources.sessions, caller.actor) as session:
            found = find(session)
            onnx = artifacts.blob(found.artifact)
        answerer = resources.answerers.get(onnx, found.preprocessing)
        shares = answerer.probabilities(picture, memory=resources.settings.decoding_bytes)
        best = np.argsort(-shares, kind="stable")[:top_k].tolist()
        classes = [ClassOut(number=one, name=answerer.classes[one], probability=shares[one]) for one in best]
        return PredictionOut(architecture_id=found.architecture_id, training_id=found.training_id, classes=classes)

    async with resources.predictions.place():
        return await run_in_threadpool(predict)
