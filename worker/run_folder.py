"""The files of a job on this machine: inputs laid down from the stored artifacts, outputs stored from here.

All steps of a job share one folder. What is there already with the right content is not copied again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from dna_engine.checkpoint_file import before, check
from dna_engine.disk import room_on
from dna_engine.errors import DamagedCheckpoint
from dna_engine.events import Metric
from dna_engine.plans import Step as PlannedStep
from dna_engine.plans.files import METRICS, SPEC
from store import artifacts, events
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.claims import Claim
from store.errors import CorruptArtifact, StoreError
from store.files import Drafts
from store.session import Sessions, transaction
from store.tables import Artifact


class MissingFile(StoreError):
    """A file that should be there is not: a dataset was deleted, or the engine did not write an output."""


class BadInput(StoreError):
    """An input of the step, ``name``, is damaged or gone."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class RunFolder:
    """``runs/<job id>`` in the data folder."""

    def __init__(self, data_dir: Path, claim: Claim, blobs: BlobStore) -> None:
        self.path = data_dir.resolve() / "runs" / str(claim.job_id)
        self._blobs = blobs

    def lay_down(self, sessions: Sessions, claim: Claim) -> list[str]:
        """Everything the step needs, its checkpoint included; returns what people must know of damaged checkpoints.

        Raises:
            BadInput: an input is not among the artifacts of the job, or not what was written.
            DiskFull: there is no room for them.
        """
        wanted, step = claim.step.inputs(claim.spec), claim.step
        with transaction(sessions) as session:
            stored = artifacts.named(session, claim.job_id, [*wanted, step.checkpoint, step.checkpoint_before])
            metrics = _metrics(session, claim.job_id) if METRICS in wanted else None
        if missing := [name for name in wanted if name not in stored and name != METRICS]:
            message = f"{step.key} needs {missing[0]}, which is no longer among the files of the job."
            raise BadInput(missing[0], message)
        needed = sum(artifact.size for artifact in stored.values())
        with room_on("the run folders (DNA_DATA_DIR)", self.path, needed=needed):
            if metrics is not None:
                _write(self.path / METRICS, metrics)
            _write(self.path / SPEC, claim.spec.model_dump_json(indent=2))
            for name in sorted(set(wanted) & set(stored)):
                try:
                    self._copy(stored[name])
                except CorruptArtifact as error:
                    raise BadInput(name, error.message) from error
            return self._lay_down_checkpoint(step, stored.get(step.checkpoint), stored.get(step.checkpoint_before))

    def has_checkpoint(self, step: PlannedStep) -> bool:
        """Whether one of the step lies here, readable or not."""
        path = self.path / step.checkpoint
        return path.exists() or before(path).exists()

    def store(self, names: Iterable[str], drafts: Drafts) -> list[StoredFile]:
        """Stores files of this folder.

        Raises:
            MissingFile: one is not there.
        """
        places = {name: (self.path / name).resolve() for name in names}
        for name, path in places.items():
            if not path.is_relative_to(self.path) or not path.is_file():
                raise MissingFile(f"The engine said it was done, but left no file {name} in its run folder.")
        blobs = drafts.write_files(list(places.values()))
        return [StoredFile(name, blob) for name, blob in zip(places, blobs, strict=True)]

    def _copy(self, artifact: Artifact) -> None:
        path = self.path / artifact.name
        if path.exists() and _sha256(path) == artifact.sha256:
            return
        try:
            self._blobs.fetch(artifacts.blob(artifact), path)
        except CorruptArtifact as error:
            raise CorruptArtifact(
                f"The stored file {artifact.name} of the job cannot be used. {error.message}"
            ) from error

    def _lay_down_checkpoint(self, step: PlannedStep, last: Artifact | None, earlier: Artifact | None) -> list[str]:
        """The newest that is whole: of this disk, of the store, and the one before. The engine takes the first it can read."""
        path = self.path / step.checkpoint
        warnings: list[str] = []
        if _newer(path, last) and _whole(path):
            return []
        for artifact in (last, earlier):
            if artifact is None:
                continue
            try:
                self._copy(artifact)
                if _whole(self.path / artifact.name):
                    return warnings
            except CorruptArtifact as error:
                warnings.append(error.message)
        if warnings and not any(_whole(place) for place in (path, before(path))):
            warnings.append(f"No checkpoint of {step.key} can be read: it starts from the beginning.")
        return warnings


def _newer(path: Path, stored: Artifact | None) -> bool:
    """A checkpoint on this disk that is newer than the stored one was written just before its worker died."""
    return path.exists() and (stored is None or path.stat().st_mtime > stored.created_at.timestamp())


def _whole(path: Path) -> bool:
    try:
        check(path)
    except DamagedCheckpoint:
        return False
    return True


def _metrics(session: Session, job_id: UUID) -> str:
    """The points of all series, as the events that they came by."""
    series = events.series(session, job_id).values()
    return "".join(
        Metric(series=point.series, x=point.x, y=point.y).model_dump_json() + "\n"
        for points in series
        for point in points
    )


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a step of the same job may be reading it at this moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
