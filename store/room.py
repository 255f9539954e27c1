"""Room on the disks that the service writes to, and what PostgreSQL says of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from dna_engine.disk import device, free, is_writable, size
from store.blobs import BlobStore

#: Bytes: with less an upload is soon refused; with less still hardly anything is written.
LITTLE, FULL = 256 << 20, 16 << 20
#: For so long it is told that PostgreSQL had no room, in seconds.
TOLD_SECONDS = 60.0


@dataclass(frozen=True)
class Place:
    """A folder of this machine, and what people know it as."""

    name: str
    folder: Path


def stored_files(blobs: BlobStore) -> list[Place]:
    """Where the stored files lie; nothing where that is no disk of this machine."""
    return [] if blobs.folder is None else [Place("the artifacts (DNA_ARTIFACTS_URL)", blobs.folder)]


def datasets(folder: Path) -> Place:
    """Where datasets are received and unpacked."""
    return Place("the datasets (DNA_DATASETS)", folder)


def little(places: Sequence[Place]) -> list[str]:
    """What hinders work for want of room, a sentence for each disk."""
    by_disk: dict[int, list[Place]] = {}
    for place in places:
        by_disk.setdefault(device(place.folder), []).append(place)
    said = []
    for together in by_disk.values():
        left, names = free(together[0].folder), " and ".join(place.name for place in together)
        if left < FULL:
            said.append(
                f"The disk of {names} is full: {size(left)} left. Uploads are refused, and steps that write there wait. Make room."
            )
        elif left < LITTLE:
            said.append(f"The disk of {names} has {size(left)} left. Make room there.")
    return said


def locked_up(places: Sequence[Place]) -> list[str]:
    """Of folders that cannot be written, a sentence each."""
    return [
        f"Nothing can be written to {place.name}: it is not there, mounted read-only, or another user's."
        for place in places
        if not is_writable(place.folder)
    ]


class DatabaseRoom:
    """What the database of an engine has said of its disk to this process."""

    def __init__(self, engine: Engine) -> None:
        self._full_at = -TOLD_SECONDS
        event.listen(engine, "handle_error", self._heard)

    def _heard(self, context: ExceptionContext) -> None:
        if isinstance(context.original_exception, psycopg.errors.DiskFull):
            self._full_at = time.monotonic()

    @property
    def warnings(self) -> list[str]:
        """That it was full a moment ago."""
        if time.monotonic() - self._full_at >= TOLD_SECONDS:
            return []
        return [
            "PostgreSQL had no room on its disk a moment ago: what makes or changes something is answered with 503. Make room there."
        ]
