"""Networks and the content of their files."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from api.architectures.files import described, listed, missing, stored
from api.architectures.schemas import ArchitectureOut, ArchitectureSummary, Format
from api.download import Content
from api.errors import NotFound
from store import architectures, searches, trainings
from store.blobs import BlobStore
from store.states import Role


def detail(session: Session, architecture_id: UUID) -> ArchitectureOut:
    """The network as it is now.

    Raises:
        NotFound: there is none of that id.
    """
    network = architectures.get(session, architecture_id)
    files = listed(described(network.architecture), stored(session, network.search_id, network.role))
    done = trainings.of_architecture(session, network.id)
    return ArchitectureOut(
        **ArchitectureSummary.model_validate(network).model_dump(),
        test=next((trained.test for training in done if not training.alone and (trained := training.found)), None),
        files=files,
        trainings=[training.id for training in done],
    )


def content(session: Session, blobs: BlobStore, architecture_id: UUID, kind: Format) -> Content:
    """A file of a network.

    Raises:
        NotFound: there is no such network, it was never trained, or it was exported without that file; says why.
        Conflict: it is being trained; the file comes later.
    """
    network = architectures.get(session, architecture_id)
    stem = f"{network.role}-{network.id}"
    if kind is Format.JSON:
        return Content.in_memory(f"{stem}.json", "application/json", described(network.architecture))
    artifact = stored(session, network.search_id, network.role).get(kind)
    if artifact is None and network.role is Role.SELECTED:
        raise NotFound(_of_selected(session, network.id, kind))
    if artifact is None:
        raise missing(session, searches.get(session, network.search_id), network.role, kind)
    return Content.stored(blobs, artifact, stem)


def _of_selected(session: Session, architecture_id: UUID, kind: Format) -> str:
    """Where to find the file of a network that its search has not trained."""
    made = trainings.of_architecture(session, architecture_id)
    if not made:
        return (
            f"This network was selected, not trained: there is no {kind} of it, only json. POST /trainings trains it."
        )
    return f"Its search has not trained this network: GET /trainings/{made[-1].id}/download has the {kind} of its last training."
