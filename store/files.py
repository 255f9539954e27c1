"""Which stored files rows name. A file is deleted only when none does: whoever cannot ask leaves it to the sweeper."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from store.blobs import Blob, BlobStore
from store.session import Sessions, transaction
from store.tables import Artifact, Dataset

logger = logging.getLogger("dna.store.files")

#: Files that are looked at in one transaction.
BATCH = 500


class Drafts:
    """Files that are stored before the rows that will name them are written."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self.locations: list[str] = []

    def write_file(self, path: Path) -> Blob:
        """Stores a local file."""
        blob = self._blobs.write_file(path)
        self.locations.append(blob.location)
        return blob


@contextmanager
def drafts(sessions: Sessions, blobs: BlobStore) -> Iterator[Drafts]:
    """Rows for the files are written and committed inside the block; when it raises, those without a row are deleted."""
    written = Drafts(blobs)
    try:
        yield written
    except BaseException:
        discard(sessions, blobs, written.locations)
        raise


def discard(sessions: Sessions, blobs: BlobStore, locations: Sequence[str]) -> None:
    """Deletes those of the files that no row names. Raises nothing: what is left over is the sweeper's."""
    try:
        for start in range(0, len(locations), BATCH):
            with transaction(sessions) as session:
                some = locations[start : start + BATCH]
                announce(session, some)
                for location in set(some) - named(session, some):
                    blobs.delete(location)
    except (SQLAlchemyError, OSError) as error:
        logger.warning("%d stored files may be left over, for the sweeper: %s", len(locations), error)


def announce(session: Session, locations: Sequence[str]) -> None:
    """The transaction is about to write rows for these files: who would discard them waits until it has ended."""
    for location in sorted(locations):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(location, 0))))


def named(session: Session, locations: Sequence[str]) -> set[str]:
    """Those of the files that a row names."""
    archive = Dataset.archive["location"].astext
    artifacts = session.scalars(select(Artifact.location).where(Artifact.location.in_(locations)))
    return {*artifacts, *session.scalars(select(archive).where(archive.in_(locations)))}


def named_in(session: Session, folder: str) -> set[str]:
    """The files of a folder of the store that rows name."""
    archive = Dataset.archive["location"].astext
    artifacts = session.scalars(select(Artifact.location).where(Artifact.location.startswith(f"{folder}/")))
    return {*artifacts, *session.scalars(select(archive).where(archive.startswith(f"{folder}/")))}
