"""Which test images a trained network takes for which class."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from api.download import Content
from api.errors import Conflict, NotFound
from dna_engine.plans.files import CONFUSION, CONFUSION_PICTURE
from store import artifacts, trainings
from store.blobs import BlobStore
from store.states import FINISHED


class Shown(StrEnum):
    """What a confusion matrix can be had as."""

    JSON = "json"
    SVG = "svg"


_FILES = {Shown.JSON: CONFUSION, Shown.SVG: CONFUSION_PICTURE}


def content(session: Session, blobs: BlobStore, training_id: UUID, shown: Shown) -> Content:
    """The file of the confusion matrix.

    Raises:
        NotFound: there is no such training, or it ended without that file.
        Conflict: it goes on; the file comes when it is trained.
    """
    training = trainings.get(session, training_id)
    name = f"{training.network}/{_FILES[shown]}"
    artifact = artifacts.named(session, training.job_id, [name]).get(name)
    if artifact is not None:
        return Content.stored(blobs, artifact, f"confusion-{training.id}", inline=True)
    if training.state in FINISHED:
        reason = "early versions left none, and the log of a later one may say why"
        raise NotFound(f"The training {training.state.said} without a confusion matrix as {shown}: {reason}.")
    raise Conflict(f"There is no confusion matrix yet: the training is {training.state}.")
