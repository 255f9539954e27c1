"""A backup of a service that goes on running: the rows of one moment, and every stored file that they name.

The rows come first, the files after: a stored file never changes, and while a backup is taken none is deleted, so that whatever the rows
of that moment name is there to be copied. (Files first would miss those that are written while they are copied.) What an earlier backup
has copied to the same place is not copied again.
"""

from __future__ import annotations

import logging
import tempfile
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from store import dumps, migrate
from store.backup_place import Backup, Place, name_at
from store.blobs import Blob, BlobStore
from store.errors import CorruptArtifact, StoreError
from store.files import all_kept, named_blobs
from store.session import clock

logger = logging.getLogger("dna.store.backup")


def take(engine: Engine, url: str, blobs: BlobStore, place: Place, *, keep: int | None = None) -> Backup:
    """Takes a backup.

    Args:
        engine: of the database; its statements and transactions may take as long as they take.
        url: of the same.
        keep: so many backups stay at the place, the newest; None keeps all.

    Raises:
        StoreError: it cannot be taken; nothing of it counts.
    """
    with all_kept(engine), tempfile.TemporaryDirectory(prefix="dna-backup-") as folder:
        dump = Path(folder) / "database.dump"
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
            session = Session(connection)
            name = name_at(clock(session))
            revision = migrate.revision(connection)
            if revision is None:
                raise StoreError("The database has no schema of this service: there is nothing to back up.")
            named = named_blobs(session)
            server = str(connection.scalar(text("SHOW server_version")))
            dumps.dump(connection, url, dump)
        copied, missing = copy(list(named.values()), blobs, place.blobs)
        size = sum(file.size for file in named.values())
        backup = Backup(name, version("dna-automl"), revision, server, len(named), size, copied, missing)
        place.write(backup, dump, named.values())
        if keep is not None:
            place.keep(keep)
    return backup


def copy(files: list[Blob], source: BlobStore, target: BlobStore) -> tuple[int, list[str]]:
    """Copies the files that the target does not have. Returns how many, and the locations of those that are damaged or gone.

    Each is checked by its SHA-256 on the way.
    """
    copied, missing = 0, []
    for file in files:
        if target.has(file):
            continue
        try:
            with source.opened(file) as content:
                written = target.write(content, size=file.size, blob_id=file.id)
        except CorruptArtifact as error:
            logger.warning("%s", error.message)
            missing.append(file.location)
            continue
        if written != file:
            logger.warning("The stored file %s is damaged.", file.location)
            target.delete(file.location)
            missing.append(file.location)
            continue
        copied += 1
    return copied, missing
