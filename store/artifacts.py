"""Rows of stored files: what a job left behind, by the names of its run folder. The bytes are in ``store.blobs``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store.blobs import Blob
from store.columns import new_id
from store.files import adopt, release
from store.tables import Artifact

MEDIA_TYPES = {
    ".json": "application/json",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".zip": "application/zip",
}


@dataclass(frozen=True)
class StoredFile:
    """A file of a run folder, by its path there, whose bytes are stored."""

    name: str
    blob: Blob


def record(session: Session, job_id: UUID, files: Sequence[StoredFile]) -> list[str]:
    """Rows for stored files; returns the locations of those they replace, to be deleted after the commit."""
    adopt(session, [file.blob.location for file in files])
    replaced = remove(session, job_id, *(file.name for file in files))
    for file in files:
        session.add(
            Artifact(
                id=file.blob.id,
                job_id=job_id,
                name=file.name,
                media_type=_media_type(file.name),
                size=file.blob.size,
                sha256=file.blob.sha256,
                location=file.blob.location,
            )
        )
    session.flush()
    return replaced


def share(
    session: Session, from_job: UUID, to_job: UUID, names: Sequence[str], *, called: Mapping[str, str] | None = None
) -> list[str]:
    """Gives a job files of another one: rows that name the same stored files, which last as long as either; returns the names of
    those that the other does not have.

    Args:
        called: other names that they get, by those that they have.

    Nobody takes their rows away before the transaction ends. The other job is to be held, see :func:`store.architectures.hold`.
    """
    query = select(Artifact).where(Artifact.job_id == from_job, Artifact.name.in_(names)).order_by(Artifact.id)
    found = session.scalars(query.with_for_update(read=True, key_share=True)).all()
    for file in found:
        same = {name: getattr(file, name) for name in ("media_type", "size", "sha256", "location")}
        session.add(Artifact(id=new_id(), job_id=to_job, name=(called or {}).get(file.name, file.name), **same))
    session.flush()
    return sorted({*names} - {file.name for file in found})


def refer(session: Session, job_id: UUID, files: Sequence[StoredFile]) -> None:
    """Gives a job files that other rows name too, and that are held until the transaction ends."""
    for file in files:
        session.add(
            Artifact(
                id=new_id(),
                job_id=job_id,
                name=file.name,
                media_type=_media_type(file.name),
                size=file.blob.size,
                sha256=file.blob.sha256,
                location=file.blob.location,
            )
        )
    session.flush()


def _media_type(name: str) -> str:
    return MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def blob(artifact: Artifact) -> Blob:
    """What ``store.blobs`` needs to read the file."""
    return Blob(artifact.id, artifact.location, artifact.size, artifact.sha256)


def remove(session: Session, job_id: UUID, *names: str) -> list[str]:
    """Removes the rows of those names, where there are any; returns the locations of their files, to be discarded."""
    gone = delete(Artifact).where(Artifact.job_id == job_id, Artifact.name.in_(names))
    locations = list(session.scalars(gone.returning(Artifact.location)))
    release(session, locations)
    return locations


def keep_before(session: Session, job_id: UUID, name: str, before: str) -> list[str]:
    """Gives the file of that name another one, before it is replaced; returns the location of what had that, as :func:`record`."""
    replaced = remove(session, job_id, before)
    session.execute(update(Artifact).where(Artifact.job_id == job_id, Artifact.name == name).values(name=before))
    return replaced


def named(session: Session, job_id: UUID, names: Sequence[str]) -> dict[str, Artifact]:
    """Those of the named files that a job has."""
    query = select(Artifact).where(Artifact.job_id == job_id, Artifact.name.in_(names))
    return {artifact.name: artifact for artifact in session.scalars(query)}
