"""Networks, the content of their files, and what they answer."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from api import file_names
from api.architectures.answering import Answering
from api.architectures.files import described, left, missing, stored, unexported
from api.architectures.schemas import (
    TRAININGS_SHOWN,
    ArchitectureOut,
    ArchitectureSummary,
    Format,
    LayerOut,
    LayersOut,
)
from api.download import Content
from api.errors import Conflict, NotFound
from dna_engine.space.architecture import Architecture as Description
from dna_engine.space.layers import layers_of
from dna_engine.standard import is_standard
from store import accuracies, architectures, searches, trainings
from store.blobs import BlobStore
from store.states import Role
from store.tables import Architecture, Artifact


def detail(session: Session, architecture_id: UUID) -> ArchitectureOut:
    """The network as it is now.

    Raises:
        NotFound: there is none of that id.
    """
    network = architectures.get(session, architecture_id)
    has = left(session, network.search_id, network.folder, described(network.architecture))
    done = trainings.of_architecture(session, network.id, limit=TRAININGS_SHOWN)
    judge = accuracies.deciding(session, [network.id]).get(network.id)
    return ArchitectureOut(
        **ArchitectureSummary.model_validate(network).model_dump(),
        test=judge and judge.found and judge.found.test,
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


def answering(session: Session, architecture_id: UUID) -> Answering:
    """What answers for a network: its search's file, else that of the newest training of its own that has one.

    Raises:
        NotFound: as :func:`content` of its ONNX file; so does Conflict.
    """
    network = architectures.get(session, architecture_id)
    if Format.ONNX not in _stored(session, network):
        for training in reversed(trainings.of_architecture(session, network.id)):
            found = stored(session, training.job_id, training.network).get(Format.ONNX) if training.alone else None
            if found is not None:
                how = training.job.resolved["architecture"]["preprocessing"]
                return Answering(found, how, network.id, training.id)
    return Answering(_artifact(session, network, Format.ONNX), network.architecture["preprocessing"], network.id, None)


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
        raise unexported(kind)
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
