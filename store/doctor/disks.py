"""The folders and the store that this machine reads and writes: whether they are there, take a file, and have room."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dna_engine.disk import free, size
from dna_engine.errors import DiskFull
from store import room
from store.blobs import BlobStore
from store.doctor.findings import Finding, ok, warning, wrong
from store.errors import CorruptArtifact
from store.room import Place

CHECK, FILES = "disk", "stored files"

#: What is written to see whether it can be.
_PROBE = b"dna doctor"
#: Files that a disk has numbers left for.
_FEW = 1_000


def look(blobs: BlobStore, places: list[Place]) -> Iterator[Finding]:
    """Writes a small file to each, and takes it away again."""
    yield _stored(blobs)
    yield from folders(places, room.stored_files(blobs))


def folders(places: list[Place], others: Sequence[Place] = ()) -> Iterator[Finding]:
    """Of ``others`` how much room they have, alone."""
    for place in places:
        yield from _folder(place)
    for sentence in room.little([*places, *others]):
        full = "is full" in sentence
        yield (wrong if full else warning)(
            CHECK, sentence, "dna doctor --fix removes what is left over; DNA_ARTIFACT_DAYS what is old."
        )


def _stored(blobs: BlobStore) -> Finding:
    advice = "See whether DNA_ARTIFACTS_URL is right, its disk mounted, and its credentials allow reading, writing and deleting."
    try:
        blob = blobs.write(io.BytesIO(_PROBE), size=len(_PROBE))
        try:
            whole = b"".join(blobs.read(blob)) == _PROBE
        finally:
            blobs.delete(blob.location)
    except DiskFull as error:
        return wrong(FILES, error.message, "Downloads work; what is stored waits or is refused until there is room.")
    except CorruptArtifact as error:
        return wrong(FILES, error.message, advice)
    except Exception as error:  # Each kind of store has errors of its own.
        return wrong(FILES, f"They cannot be written and read: {error}", advice)
    if not whole:
        return wrong(FILES, "What was written is read otherwise.", advice)
    left = "" if blobs.folder is None else f"; {size(free(blobs.folder))} left"
    return ok(FILES, f"They can be written, read and deleted{left}.")


def _folder(place: Place) -> Iterator[Finding]:
    if room.locked_up([place]):
        yield wrong(CHECK, room.locked_up([place])[0], "Mount it, or give it to the user of the service.")
        return
    folder = _standing(place.folder)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_PROBE)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield wrong(
            CHECK, f"Nothing can be written to {place.name}: {error.strerror}.", "Make room there, or see to its disk."
        )
        return
    about = os.statvfs(folder)
    if about.f_files and about.f_favail < _FEW:
        yield warning(
            CHECK, f"The disk of {place.name} takes {about.f_favail} more files.", "Delete small files there."
        )
    yield ok(CHECK, f"{place.name} can be written; {size(free(folder))} left.")


def _standing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
