"""Networks and the content of their files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from api.architectures.schemas import ArchitectureOut, ArchitectureSummary, File, Format
from api.download import Content
from api.errors import Conflict, NotFound
from dna_engine.accuracy import recorded
from dna_engine.plans.steps import Kind
from store import architectures, artifacts, searches, trainings
from store.blobs import BlobStore
from store.states import FINISHED, Role
from store.tables import Architecture, Artifact, Search

#: Names in the folder of a network, see ``dna_engine.plans.steps``.
_FILES: Mapping[Format, str] = {
    Format.SAFETENSORS: "weights.safetensors",
    Format.ONNX: "model.onnx",
    Format.BUNDLE: "bundle.zip",
}


def detail(session: Session, architecture_id: UUID) -> ArchitectureOut:
    """The network as it is now.

    Raises:
        NotFound: there is none of that id.
    """
    network = architectures.get(session, architecture_id)
    description = _description(network)
    files = [File(format=Format.JSON, size=len(description), sha256=hashlib.sha256(description).hexdigest())]
    stored = _stored(session, network)
    files += [
        File(format=kind, size=stored[kind].size, sha256=stored[kind].sha256) for kind in _FILES if kind in stored
    ]
    done = trainings.of_architecture(session, network.id)
    return ArchitectureOut(
        **ArchitectureSummary.model_validate(network).model_dump(),
        test=next((test for training in done if (test := recorded(training.values))), None),
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
        return Content.in_memory(f"{stem}.json", "application/json", _description(network))
    artifact = _stored(session, network).get(kind)
    if artifact is None:
        raise _missing(session, network, kind)
    return Content.stored(blobs, artifact, stem)


def _description(network: Architecture) -> bytes:
    """The architecture as a JSON file: with timm, all that is needed to build it."""
    return json.dumps(network.architecture, indent=1).encode()


def _stored(session: Session, network: Architecture) -> dict[Format, Artifact]:
    by_name = {
        artifact.name.rpartition("/")[2]: artifact for artifact in artifacts.of_architecture(session, network.id)
    }
    return {kind: by_name[name] for kind, name in _FILES.items() if name in by_name}


def _missing(session: Session, network: Architecture, kind: Format) -> NotFound | Conflict:
    if network.role is Role.SELECTED:
        return NotFound(f"This network was selected, not trained: there is no {kind} of it, only json.")
    search = searches.get(session, network.search_id)
    if kind is Format.ONNX and (reason := _export_warning(search, network)):
        return NotFound(f"There is no onnx of this network: {reason}")
    if search.state in FINISHED:
        return NotFound(f"The search {search.state.said} without a {kind} of this network.")
    return Conflict(f"There is no {kind} of this network yet: the search is {search.state}, in phase {search.phase}.")


def _export_warning(search: Search, network: Architecture) -> str | None:
    """Why the network was exported without an ONNX file, if it was."""
    exports = [step for step in search.steps if step.kind == Kind.EXPORT and step.payload["network"] == network.role]
    return next((step.values.get("warning") for step in exports), None)
