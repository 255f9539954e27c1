"""Trainings that another may begin with, and the file that it takes of them, which lasts as long as either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from dna_engine.errors import InvalidSpec
from dna_engine.plans import files
from dna_engine.spec import GivenWeights, ResolvedNetworks, parse_job
from store import artifacts, trainings
from store.errors import IllegalTransition, NotFound
from store.refs import named
from store.states import JobState, Role
from store.tables import Architecture, Job, Training, TrainingJob

#: The field of a training that names one.
PARAM = "start.training"


@dataclass(frozen=True)
class Source:
    """A training that has left weights, and what is known of them; nobody deletes it until the transaction ends."""

    training: Training
    weights: GivenWeights

    @property
    def file(self) -> str:
        """Of the weights, in the run folder of its job."""
        return f"{self.training.network}/{files.WEIGHTS}"


def find(session: Session, training_id: str) -> Source:
    """The training that ``start.training`` names.

    Raises:
        InvalidSpec: there is none, or none that this version can read.
        IllegalTransition: it has not succeeded, or its weights are gone.
    """
    training = _held(session, training_id)
    if training.state is not JobState.SUCCEEDED:
        raise IllegalTransition(
            f"The training {training.id} {training.state.said}: weights are taken of one that has succeeded. Wait for it, or resume it."
        )
    spec = _spec(training)
    name = f"{training.network}/{files.WEIGHTS}"
    stored = artifacts.named(session, training.job_id, [name]).get(name)
    if stored is None:
        raise _gone(training.id)
    weights = GivenWeights(
        training=str(training.id),
        architecture=dict(_described(session, training, spec)),
        dataset=spec.dataset,
        sha256=stored.sha256,
    )
    return Source(training, weights)


def share(session: Session, source: Source, job_id: UUID) -> None:
    """Gives a job the weights of a training that :func:`find` has found in the same transaction.

    Raises:
        IllegalTransition: they are gone.
    """
    if artifacts.share(session, source.training.job_id, job_id, [source.file], called={source.file: files.START}):
        raise _gone(source.training.id)


def _held(session: Session, ref: str) -> Training:
    """The training of that id, or else the one made alone of that name; the lock waits for whoever deletes it just now."""
    alone = Training.job_id.in_(select(TrainingJob.id).where(TrainingJob.name == ref)) & (
        Training.id == Training.job_id
    )
    found = named(session, select(Training), ref, Training.id, alone)
    if len(found) > 1:
        raise InvalidSpec(f"Several trainings are called {ref!r}: name it by its id (GET /trainings).", param=PARAM)
    try:
        [training] = found
        session.get(Job, training.job_id, with_for_update={"read": True, "key_share": True})
        return trainings.get(session, training.id)
    except (ValueError, NotFound) as error:
        raise InvalidSpec(
            f"There is no training {ref}: take the id or name of one that has succeeded (GET /trainings).", param=PARAM
        ) from error


def _spec(training: Training) -> ResolvedNetworks:
    try:
        spec = parse_job(training.job.resolved)
    except (ValidationError, InvalidSpec) as error:
        raise InvalidSpec(
            f"The training {training.id} is of a version that this one cannot read.", param=PARAM
        ) from error
    assert isinstance(spec, ResolvedNetworks)
    return spec


def _described(session: Session, training: Training, spec: ResolvedNetworks) -> Mapping[str, Any]:
    """Its network: of a training alone its spec describes it, of a search the row."""
    if training.network in spec.given:
        return spec.given[training.network]
    network = session.get_one(Architecture, training.architecture_id)
    if network.role is Role.REFERENCE:
        raise InvalidSpec(
            f"The training {training.id} is of {network.name}, a standard network, and only networks of our own are trained further.",
            param=PARAM,
        )
    return network.architecture


def _gone(training_id: UUID) -> IllegalTransition:
    return IllegalTransition(
        f"The weights of the training {training_id} are no longer kept: train it again, or start from another or from scratch."
    )
