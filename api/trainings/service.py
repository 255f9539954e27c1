"""What may be trained, and the lives of trainings. Writes through ``store``; commits nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from api import file_names
from api.architectures import given
from api.architectures.answering import Answering
from api.architectures.files import described, left, missing, stored, unexported
from api.architectures.given import invalid
from api.architectures.schemas import Format
from api.download import Content
from api.jobs import cloning
from api.jobs.cloning import Clone
from api.jobs.waits import Waits
from api.trainings.naming import name_of
from api.trainings.schemas import TrainingDetail, TrainingSummary
from dna_engine.errors import EngineError
from dna_engine.space.architecture import PUBLISHED
from dna_engine.space.architecture import Architecture as Network
from dna_engine.spec import FromTraining, GivenWeights, ResolvedSpec, ResolvedTraining, TrainingSpec, resolve_training
from store import architectures, datasets, searches, steps, trainings, transfer, tunings, waiting
from store.blobs import BlobStore
from store.columns import Json
from store.errors import NotFound
from store.order import At, Place
from store.states import FINISHED, JobKind, Role
from store.tables import Architecture, Artifact, Training
from store.trainings import Which
from store.transfer import Source
from store.waiting import Queues, Wait, unmanned


def create(
    session: Session, body: TrainingSpec | Clone, *, max_attempts: int, live_within: timedelta
) -> TrainingDetail:
    """A queued training.

    Raises:
        EngineError: there is no such dataset, or the search that found the network has nothing of what is asked for, or the training that
            is named to start from is of another network.
        Invalid: there is no such network, or none that this version can read.
        IllegalTransition: files of that search or training, which are asked for, are gone, or not there yet.
    """
    spec, cloned_from = cloning.written(session, body, JobKind.TRAINING, TrainingSpec)
    asked, resolved = resolve_for(session, spec)
    training = trainings.create(session, spec, resolved, asked.row, max_attempts=max_attempts, cloned_from=cloned_from)
    if asked.source is not None:
        transfer.share(session, asked.source, training.id)
    return detail(session, training.id, live_within)


def resolve_for(session: Session, spec: TrainingSpec) -> tuple[Subject, ResolvedTraining]:
    """What is to be trained, and the spec with nothing left open; raises as :func:`create`."""
    asked = subject(session, spec)
    dataset = datasets.ready(session, spec.dataset)
    filled = tunings.with_recipe(session, spec)
    resolved = resolve_training(filled, asked.network, dataset, search_of(session, asked.row), asked.weights)
    if not spec.name:
        resolved = resolved.model_copy(update={"name": name_of(session, asked.row, resolved.name)})
    return asked, resolved


@dataclass(frozen=True)
class Subject:
    """What is to be trained: the network, its row, which may be gone where a training to start from has it, and that training."""

    network: Network
    row: Architecture | None
    source: Source | None

    @property
    def weights(self) -> GivenWeights | None:
        """That it starts from, of that training."""
        return None if self.source is None else self.source.weights


def subject(session: Session, spec: TrainingSpec) -> Subject:
    """The network that a spec names, or that of the training to start from; nobody deletes either until the transaction ends.

    Raises:
        Invalid: there is none, or none that this version can read.
        EngineError, IllegalTransition: nor such a training, or it has no weights.
    """
    source = transfer.find(session, spec.start.training) if isinstance(spec.start, FromTraining) else None
    if spec.architecture is not None:
        row = _row(session, spec.architecture)
        return Subject(_read(row.architecture), row, source)
    if source is None:
        raise invalid(
            "Name the network: an id of GET /architectures, dna-a to dna-d, or a JSON; or a training to start from"
        )
    return Subject(_read(source.weights.architecture), _row_of(session, source.training), source)


def _row_of(session: Session, training: Training) -> Architecture | None:
    try:
        return None if training.architecture_id is None else architectures.hold(session, training.architecture_id)
    except NotFound:
        return None


def _row(session: Session, architecture: str | dict[str, Any]) -> Architecture:
    """The network that is named, which nobody deletes until the transaction ends; one that is described is kept."""
    if isinstance(architecture, dict) or architecture in PUBLISHED:
        row, _ = given.keep(session, architecture)
        return row
    found = architectures.called(session, architecture)
    if len(found) > 1:
        raise invalid(f"Several networks are called {architecture!r}: name it by its id; GET /architectures lists them")
    if not found:
        names = ", ".join(PUBLISHED)
        raise invalid(
            f"There is no network {architecture!r}: take the id of one, or the name of one that was given or published ({names}); GET "
            "/architectures lists them"
        )
    row = architectures.hold(session, found[0])
    if row.role is Role.REFERENCE:
        raise invalid(
            f"{row.name} is a standard network, which a search trains beside its own (retrain.references), and nothing else does"
        )
    return row


def _read(described: Json) -> Network:
    try:
        return Network.from_json(described)
    except EngineError as error:
        raise invalid(f"This network cannot be trained by this version. {error.message[:-1]}") from error


def search_of(session: Session, row: Architecture | None) -> ResolvedSpec | None:
    """What the search that found the network was asked to do; None where there is none, or this version cannot read it."""
    if row is None or row.search_id is None:
        return None
    try:
        return ResolvedSpec.model_validate(searches.get(session, row.search_id).resolved)
    except ValidationError:
        return None


def detail(session: Session, training_id: UUID, live_within: timedelta) -> TrainingDetail:
    """The training as it is now."""
    return _detail(session, trainings.get(session, training_id), waiting.look(session, live_within=live_within))


def answer(session: Session, training_id: UUID, waits: Waits) -> TrainingDetail:
    """The same, with what it waits for as of a moment ago."""
    training = trainings.get(session, training_id)
    return _detail(session, training, waits.of(_unfinished([training])))


def _detail(session: Session, training: Training, queues: Queues) -> TrainingDetail:
    has = left(session, training.job_id, training.network, _description(session, training))
    found = TrainingDetail.of(training, steps.of_job(session, training.job_id), has, _wait(training, queues))
    lacking = [] if training.state in FINISHED else unmanned(queues.live)
    return found.model_copy(update={"warnings": [*found.warnings, *lacking]})


def listing(session: Session, which: Which, at: At, waits: Waits) -> tuple[list[TrainingSummary], Place | None]:
    """A page of trainings, and where the next one begins."""
    found = trainings.listing(session, which, at)
    queues = waits.of(_unfinished(found.items))
    return [TrainingSummary.listed(training, _wait(training, queues)) for training in found.items], found.next


def _unfinished(found: Sequence[Training]) -> list[UUID]:
    """The jobs that those of the trainings are of which are not over."""
    return [training.job_id for training in found if training.state not in FINISHED]


def _wait(training: Training, queues: Queues) -> Wait:
    """How it waits: of one of a search only while it is not over, though the search may wait for something later."""
    return Wait() if training.state in FINISHED else queues.wait(training.job_id)


def content(session: Session, blobs: BlobStore, training_id: UUID, kind: Format) -> Content:
    """A file of the network as this training has left it.

    Raises:
        NotFound: there is no such training, or it ended without that file; says why.
        Conflict: it goes on; the file comes later.
    """
    training = trainings.get(session, training_id)
    stem = file_names.of_training(training)
    if kind is Format.JSON:
        return Content.in_memory(f"{stem}.json", "application/json", _description(session, training))
    return Content.stored(blobs, _artifact(session, training, kind), stem)


def answering(session: Session, training_id: UUID) -> Answering:
    """What answers to pictures as this training has left the network.

    Raises:
        NotFound: as :func:`content` of its ONNX file; so does Conflict.
    """
    training = trainings.get(session, training_id)
    onnx = _artifact(session, training, Format.ONNX)
    return Answering(onnx, _architecture(session, training)["preprocessing"], training.architecture_id, training.id)


def _artifact(session: Session, training: Training, kind: Format) -> Artifact:
    if found := stored(session, training.job_id, training.network).get(kind):
        return found
    standard = training.architecture is not None and training.architecture.role is Role.REFERENCE
    if standard and kind is not Format.SAFETENSORS:
        raise unexported(kind)
    raise missing(session, training.job, training.network, kind)


def _description(session: Session, training: Training) -> bytes:
    """The network as a JSON file."""
    return described(_architecture(session, training))


def _architecture(session: Session, training: Training) -> Json:
    """The network for the dataset it is trained on."""
    if training.alone:
        network: Json = training.job.resolved["architecture"]
        return network
    assert training.architecture_id is not None
    return architectures.get(session, training.architecture_id).architecture
