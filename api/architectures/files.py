"""The files of a trained network, of the search that found it or of a training alone, and why there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from api.architectures.schemas import File, Format
from api.errors import Conflict, NotFound
from dna_engine.plans import Kind, files
from dna_engine.plans.results import Exported
from store import artifacts, steps
from store.columns import Json
from store.states import FINISHED, StepState
from store.tables import Artifact, Job

_NAMES: Mapping[Format, str] = {
    Format.SAFETENSORS: files.WEIGHTS,
    Format.ONNX: files.ONNX,
    Format.BUNDLE: files.BUNDLE,
}


def stored(session: Session, job_id: UUID, network: str) -> dict[Format, Artifact]:
    """The stored files of a network, by its folder in the run folder of the job that trained it."""
    names = {f"{network}/{name}": kind for kind, name in _NAMES.items()}
    found = artifacts.named(session, job_id, list(names))
    return {kind: found[name] for name, kind in names.items() if name in found}


def listed(description: bytes, found: Mapping[Format, Artifact]) -> list[File]:
    """What can be downloaded, in the order of the formats: its description, and what is stored."""
    first = File(format=Format.JSON, size=len(description), sha256=hashlib.sha256(description).hexdigest())
    others = [File(format=kind, size=found[kind].size, sha256=found[kind].sha256) for kind in Format if kind in found]
    return [first, *others]


def described(architecture: Json) -> bytes:
    """A network as a JSON file: with timm, all that is needed to build it."""
    return json.dumps(architecture, indent=1).encode()


def missing(session: Session, job: Job, network: str, kind: Format) -> NotFound | Conflict:
    """Why the job has no such file of the network."""
    if kind is Format.ONNX and (reason := _export_warning(session, job.id, network)):
        return NotFound(f"There is no onnx of this network: {reason}")
    if job.state in FINISHED:
        return NotFound(f"The {job.kind} {job.state.said} but left no {kind} of this network.")
    return Conflict(f"There is no {kind} of this network yet: the {job.kind} is {job.state}, in phase {job.phase}.")


def _export_warning(session: Session, job_id: UUID, network: str) -> str | None:
    """Why the network was exported without an ONNX file, if it was."""
    for step in steps.of_job(session, job_id):
        if step.kind == Kind.EXPORT and step.state == StepState.SUCCEEDED and step.planned.network == network:
            return Exported.model_validate(step.values).warning
    return None
