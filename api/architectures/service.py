"""Networks, the content of their files, and what they answer."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from api import file_names
from api.architectures.files import described, left, missing, stored
from api.architectures.schemas import (
    TRAININGS_SHOWN,
    ArchitectureOut,
    ArchitectureSummary,
    ClassOut,
    Format,
    LayerOut,
    LayersOut,
    PredictionOut,
)
from api.download import Content
from api.errors import Conflict, NotFound
from api.resources import Resources
from dna_engine.images.pictures.file import HeldFile
from dna_engine.space.architecture import Architecture as Description
from dna_engine.space.layers import layers_of
from dna_engine.standard import is_standard
from store import architectures, artifacts, searches, trainings
from store.actors import Actor
from store.blobs import BlobStore
from store.columns import Json
from store.session import transaction
from store.states import Role
from store.tables import Architecture, Artifact, Training


def detail(session: Session, architecture_id: UUID) -> ArchitectureOut:
    """The network as it is now.

    Raises:
        NotFound: there is none of that id.
    """
    network = architectures.get(session, architecture_id)
    has = left(session, network.search_id, network.folder, described(network.architecture))
    done = trainings.of_architecture(session, network.id, limit=TRAININGS_SHOWN)
    return ArchitectureOut(
        **ArchitectureSummary.model_validate(network).model_dump(),
        test=next((trained.test for training in done if not training.alone and (trained := training.found)), None),
        files=has.files,
        refused=has.refused,
        trainings=[training.id for training in done],
    )


def layers(session: Session, architecture_id: UUID) -> LayersOut:
    """The network layer by layer.

    Raises:
        NotFound: there is none of that id.
        Conflict: it is a standard one.
    """
    network = architectures.get(session, architecture_id)
    if is_standard(network.architecture):
        raise Conflict(
            f"{network.name} is a standard network, which timm builds by its name: what its single layers are and cost is not known here, "
            "only what it costs whole. The winner and the control of its search, and networks that were given, have layers."
        )
    built = Description.from_json(network.architecture)
    return LayersOut(
        input_size=built.input_size,
        items=[LayerOut.model_validate(each) for each in layers_of(built)],
        flops=network.flops,
        params=network.params,
    )


def content(session: Session, blobs: BlobStore, architecture_id: UUID, kind: Format) -> Content:
    """A file of a network.

    Raises:
        NotFound: there is no such network, it was never trained, or it was exported without that file; says why.
        Conflict: it is being trained; the file comes later.
    """
    network = architectures.get(session, architecture_id)
    stem = file_names.of_network(network)
    if kind is Format.JSON:
        return Content.in_memory(f"{stem}.json", "application/json", described(network.architecture))
    return Content.stored(blobs, _artifact(session, network, kind), stem)


def predict(resources: Resources, actor: Actor, architecture_id: UUID, picture: HeldFile, top_k: int) -> PredictionOut:
    """What the network answers to a picture. No transaction is open while it computes.

    Raises:
        NotFound: as :func:`content` of its ONNX file; so does Conflict.
        DataError: the picture cannot be read.
    """
    with transaction(resources.sessions, actor) as session:
        training, artifact, how = _answering(session, architectures.get(session, architecture_id))
        onnx, training_id = artifacts.blob(artifact), training and training.id
    answerer = resources.answerers.get(onnx, how)
    found = answerer.probabilities(picture, memory=resources.settings.decoding_bytes)
    best = np.argsort(-found, kind="stable")[:top_k]
    classes = [
        ClassOut(number=number, name=answerer.classes[number], probability=found[number]) for number in best.tolist()
    ]
    return PredictionOut(architecture_id=architecture_id, training_id=training_id, classes=classes)


def _answering(session: Session, network: Architecture) -> tuple[Training | None, Artifact, Json]:
    """What answers for a network, and how it wants its pictures: its search's file, else that of the newest training of its own that has one."""
    if Format.ONNX not in _stored(session, network):
        for training in reversed(trainings.of_architecture(session, network.id)):
            found = stored(session, training.job_id, training.network).get(Format.ONNX) if training.alone else None
            if found is not None:
                return training, found, training.job.resolved["architecture"]["preprocessing"]
    return None, _artifact(session, network, Format.ONNX), network.architecture["preprocessing"]


def _stored(session: Session, network: Architecture) -> dict[Format, Artifact]:
    """Its files as its search has left them; one that was given has none."""
    return {} if network.search_id is None else stored(session, network.search_id, network.folder)


def _artifact(session: Session, network: Architecture, kind: Format) -> Artifact:
    artifact = _stored(session, network).get(kind)
    if artifact is not None:
        return artifact
    if network.search_id is None or network.role is Role.SELECTED:
        raise _of_untrained(session, network, kind)
    if network.role is Role.REFERENCE and kind is not Format.SAFETENSORS:
        raise NotFound(
            f"A standard network is trained to be compared with, not exported: there is no {kind} of it, only json and safetensors."
        )
    raise missing(session, searches.get(session, network.search_id), network.folder, kind)


def _of_untrained(session: Session, network: Architecture, kind: Format) -> NotFound | Conflict:
    """Where to find the file of a network that no search has trained, or why there is none."""
    made = trainings.of_architecture(session, network.id)
    if having := [training for training in made if kind in stored(session, training.job_id, training.network)]:
        of = "No search has" if network.search_id is None else "Its search has not"
        return NotFound(
            f"{of} trained this network: GET /trainings/{having[-1].id}/download has the {kind} of its last training."
        )
    if made:
        return missing(session, made[-1].job, made[-1].network, kind)
    return NotFound(
        f"This network was {network.role}, not trained: there is no {kind} of it, only json. POST /trainings trains it."
    )
