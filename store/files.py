"""Which stored files rows name. A file is deleted only when none does: whoever cannot ask leaves it as loose, for later."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from store.actors import EVERY_PROJECT
from store.blobs import Blob, BlobStore, location_of
from store.columns import new_id
from store.errors import StoreError
from store.session import Sessions, clock, transaction
from store.states import StepState
from store.tables import Artifact, Dataset, LooseFile, Step, Teacher

logger = logging.getLogger("dna.store.files")

#: Files that are looked at in one transaction.
BATCH = 500
#: So long a file that no step writes may wait for its row, unless the settings say otherwise: longer than any upload takes.
UNHELD = timedelta(hours=24)
#: After this it is tried again to delete a file that could not be deleted, or that a writer who was only stopped may have written since.
AGAIN = timedelta(minutes=10)
#: Number of the lock that one process at a time holds.
_LOCK = 0x6C6F6F73
#: Number of the lock that whoever deletes files shares, and that :func:`all_kept` has to itself.
_KEEPING = 0x6B656570


#: Does something in a transaction.
Do = Callable[[Callable[[Session], None]], object]


class Holder(Protocol):
    """A claim on a step, as far as its files need it."""

    @property
    def step_id(self) -> UUID: ...

    @property
    def fence(self) -> int: ...


class Drafts:
    """Files that are stored before the rows that will name them are written.

    Each is entered as loose first, so that it is found whenever its writer is killed: a step's as soon as its claim is no longer
    held, another's after a time that is longer than its writing takes. A step's writer that was stopped, and goes on when its files are
    deleted already, finds its claim gone and deletes what it writes then; should it be killed before it does, that goes at the second look, :data:`AGAIN` after
    the first. What is written later still is left to the sweeper.
    """

    def __init__(self, blobs: BlobStore, holder: Holder | None, do: Do, patience: timedelta) -> None:
        self._blobs = blobs
        self._holder = holder
        self._do = do
        self._patience = patience
        self.locations: list[str] = []

    def write_files(self, paths: Sequence[Path]) -> list[Blob]:
        """Stores local files."""
        ids = [new_id() for _ in paths]
        locations = [location_of(blob_id) for blob_id in ids]
        self.locations += locations
        self._do(lambda session: self._enter(session, locations))
        return [self._blobs.write_file(path, blob_id=blob_id) for path, blob_id in zip(paths, ids, strict=True)]

    def write(self, source: IO[bytes]) -> Blob:
        """Stores all that an open file holds."""
        blob_id = new_id()
        self.locations.append(location_of(blob_id))
        self._do(lambda session: self._enter(session, [location_of(blob_id)]))
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
        return self._blobs.write(source, size=size, blob_id=blob_id)

    def _enter(self, session: Session, locations: Sequence[str]) -> None:
        """Harmless when it is done again."""
        now, holder = clock(session), self._holder
        why = {"due_at": now + self._patience} if holder is None else {"step_id": holder.step_id, "fence": holder.fence}
        _add(session, [{"location": location, **why} for location in locations])


@contextmanager
def drafts(
    sessions: Sessions,
    blobs: BlobStore,
    holder: Holder | None = None,
    do: Do | None = None,
    *,
    patience: timedelta = UNHELD,
) -> Iterator[Drafts]:
    """Rows for the files are written and committed inside the block; when it raises, those without a row are deleted.

    Args:
        holder: the claim of the step that writes them.
        do: how to write to the database; by default in a transaction that is not tried again.
        patience: how long a file that no step writes may wait for its row.
    """

    def once(work: Callable[[Session], None]) -> None:
        with transaction(sessions) as session:
            work(session)

    written = Drafts(blobs, holder, do or once, patience)
    try:
        yield written
    except BaseException:
        discard(sessions, blobs, written.locations)
        raise


def adopt(session: Session, locations: Sequence[str]) -> None:
    """The transaction is about to write rows for these files: who would discard them waits until it has ended."""
    _lock(session, locations)
    session.execute(delete(LooseFile).where(LooseFile.location.in_(locations)))


def release(session: Session, locations: Sequence[str]) -> None:
    """The transaction has deleted the rows that name these files: they may be discarded once it is committed."""
    _add(session, [{"location": location} for location in locations])


def _add(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        session.execute(insert(LooseFile).values(rows).on_conflict_do_nothing())


def discard(sessions: Sessions, blobs: BlobStore, locations: Sequence[str]) -> None:
    """Deletes those of the files that no row names. Raises nothing: what is left over is found later."""
    try:
        for start in range(0, len(locations), BATCH):
            with transaction(sessions) as session:
                _discard(session, blobs, locations[start : start + BATCH])
    except SQLAlchemyError as error:
        logger.warning("%d stored files may be left over, to be deleted later: %s", len(locations), error)


def discard_loose(sessions: Sessions, blobs: BlobStore) -> None:
    """Deletes loose files whose time has come; does nothing while another process does so.

    Those of a step are looked for twice: that its claim is gone does not say that its worker is dead.
    """
    with transaction(sessions) as session:
        if session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
            held = exists().where(
                Step.id == LooseFile.step_id, Step.fence == LooseFile.fence, Step.state == StepState.RUNNING
            )
            due = select(LooseFile.location, LooseFile.step_id).where(LooseFile.due_at <= func.clock_timestamp(), ~held)
            found = session.execute(due.order_by(LooseFile.due_at).limit(BATCH)).all()
            _discard(session, blobs, [location for location, _ in found])
            later = clock(session) + AGAIN
            _add(session, [{"location": location, "due_at": later} for location, step in found if step is not None])


def _discard(session: Session, blobs: BlobStore, locations: Sequence[str]) -> None:
    """Each entry goes right after its file: the server ends a transaction that says nothing while many files are deleted.

    At the first file that cannot be deleted the rest is left for later, since the store may be away; that one for much later, since
    it may be the file. Those that were not entered are now. While all files are kept, all are left for later.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock_shared(_KEEPING))):
        release(session, locations)
        return
    _lock(session, locations)
    kept = named(session, locations)
    for index, location in enumerate(locations):
        entry = LooseFile.location == location
        if location not in kept and not _is_deleted(blobs, location):
            release(session, locations[index:])
            session.execute(update(LooseFile).where(entry).values(due_at=func.clock_timestamp() + AGAIN))
            return
        session.execute(delete(LooseFile).where(entry))


class NotKept(StoreError):
    """Files may have been deleted that were to be kept."""


@contextmanager
def all_kept(engine: Engine) -> Iterator[None]:
    """No stored file is deleted inside the block, by whatever process: what would be is left for later.

    The lock goes with the connection, so that nothing is held up for long when this process dies.

    Raises:
        NotKept: another process keeps them already, or the connection was lost in the block.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(_KEEPING, 0))):
            raise NotKept("Another backup of this database is being taken. Wait for it to end.")
        # Whoever deletes at this moment is waited for; nobody begins meanwhile.
        connection.execute(select(func.pg_advisory_lock(_KEEPING)))
        try:
            yield
            connection.execute(select(func.pg_advisory_unlock_all()))
        except OperationalError as error:
            raise NotKept(f"PostgreSQL was lost meanwhile: {error.orig}. Take the backup again.") from error
        finally:
            connection.invalidate()  # The locks go with it, also where it failed.


def named_blobs(session: Session) -> dict[str, Blob]:
    """Every stored file that a row of any project names, by its location."""
    columns = [Artifact.__table__.c[name] for name in ("location", "size", "sha256")]
    rows = session.execute(select(*columns), execution_options=EVERY_PROJECT).mappings()
    found: dict[str, Mapping[str, Any]] = {row["location"]: {**row} for row in rows}
    for column in (Dataset.archive, Teacher.weights, Teacher.about):
        for blob in session.scalars(select(column), execution_options=EVERY_PROJECT):
            if blob:
                found[blob["location"]] = blob
    return {
        location: Blob(UUID(location.rpartition("/")[2]), location, blob["size"], blob["sha256"])
        for location, blob in sorted(found.items())
    }


def _is_deleted(blobs: BlobStore, location: str) -> bool:
    try:
        blobs.delete(location)
        blobs.delete(f"{location}.part")
    except Exception as error:  # Each kind of store has errors of its own.
        logger.warning("The stored file %s is left over, to be deleted later: %s", location, error)
        return False
    return True


def _lock(session: Session, locations: Sequence[str]) -> None:
    for location in sorted(locations):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(location, 0))))


def named(session: Session, locations: Sequence[str]) -> set[str]:
    """Those of the files that a row names."""
    return _named(session, lambda location: location.in_(locations))


def named_in(session: Session, folders: Sequence[str]) -> set[str]:
    """The files of some folders of the store that rows name."""
    return _named(session, lambda location: or_(*(location.startswith(f"{folder}/") for folder in folders)))


def loose_in(session: Session, folders: Sequence[str]) -> set[str]:
    """The files of some folders of the store that have an end of their own: see :class:`Drafts`."""
    entered = select(LooseFile.location).where(or_(*(LooseFile.location.startswith(f"{one}/") for one in folders)))
    return set(session.scalars(entered))


def _named(session: Session, wanted: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> set[str]:
    """Every place where a row names a stored file, which rows of several projects may."""
    places: list[ColumnElement[str]] = [
        Artifact.__table__.c.location,
        *(column["location"].astext for column in (Dataset.archive, Teacher.weights, Teacher.about)),
    ]
    found = (session.scalars(select(place).where(wanted(place)), execution_options=EVERY_PROJECT) for place in places)
    return {location for locations in found for location in locations}
