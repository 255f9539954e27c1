"""The files of a trained network, of the search that found it or of a training alone, and why there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from api.architectures.schemas import File, Format, Latency
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
    Format.ONNX_INT8: files.ONNX_INT8,
    Format.TRITON: files.TRITON,
    Format.BUNDLE: files.BUNDLE,
}


def stored(session: Session, job_id: UUID, network: str) -> dict[Format, Artifact]:
    """The stored files of a network, by its folder in the run folder of the job that trained it."""
    names = {f"{network}/{name}": kind for kind, name in _NAMES.items()}
    found = artifacts.named(session, job_id, list(names))
    return {kind: found[name] for name, kind in names.items() if name in found}


@dataclass(frozen=True)
class Left:
    """What a network can be downloaded as, in the order of the formats, and what its export has refused to make of it, and why."""

    files: list[File]
    refused: dict[Format, str]


def left(session: Session, job_id: UUID | None, network: str, description: bytes) -> Left:
    """What the job that trained a network has left of it; without one its description alone."""
    first = File(format=Format.JSON, size=len(description), sha256=hashlib.sha256(description).hexdigest())
    if job_id is None:
        return Left([first], {})
    found, export = stored(session, job_id, network), _export(session, job_id, network)
    others = [_file(kind, found[kind], export) for kind in Format if kind in found]
    return Left([first, *others], _refused(export))


def _file(kind: Format, artifact: Artifact, export: Exported | None) -> File:
    """With what was measured of it when it was exported."""
    took = export and export.latency.get(kind)
    return File(
        format=kind,
        size=artifact.size,
        sha256=artifact.sha256,
        accuracy=export and export.accuracy.get(kind),
        latency=took and Latency(**took.model_dump(), device=export and export.device),
        largest_difference=export and export.largest_difference.get(kind),
        same_answers=export and export.same_answers.get(kind),
    )


def described(architecture: Json) -> bytes:
    """A network as a JSON file: with timm, all that is needed to build it."""
    return json.dumps(architecture, indent=1).encode()


def missing(session: Session, job: Job, network: str, kind: Format) -> NotFound | Conflict:
    """Why the job has no such file of the network."""
    if reason := _refused(_export(session, job.id, network)).get(kind):
        return NotFound(f"There is no {kind} of this network: {reason}")
    if job.state in FINISHED:
        return NotFound(f"The {job.kind} {job.state.said} but left no {kind} of this network.")
    return Conflict(f"There is no {kind} of this network yet: the {job.kind} is {job.state}, in phase {job.phase}.")


def unexported(kind: Format) -> NotFound:
    """Why there is no such file of a standard network."""
    return NotFound(
        f"A standard network is trained to be compared with, not exported: there is no {kind} of it, only json and safetensors."
    )


def _export(session: Session, job_id: UUID, network: str) -> Exported | None:
    """What its export has found, where it is done."""
    for step in steps.of_job(session, job_id):
        if step.kind == Kind.EXPORT and step.state == StepState.SUCCEEDED and step.planned.network == network:
            return Exported.model_validate(step.values)
    return None


def _refused(export: Exported | None) -> dict[Format, str]:
    if export is None:
        return {}
    whys = {Format.ONNX: export.warning, Format.ONNX_INT8: export.no_int8, Format.TRITON: export.warning}
    return {kind: why for kind, why in whys.items() if why}
