"""The bytes of artifacts, on any file system that fsspec knows. Addressed by id; no name from a user becomes a path.

A file appears whole or not at all: it is written under a temporary name and moved. Its size and SHA-256 are computed
while it is written and checked when it is read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from dna_engine.disk import is_writable, room_on
from store.columns import new_id
from store.errors import CorruptArtifact

CHUNK = 1 << 20


_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.part)?")


@dataclass(frozen=True)
class Blob:
    """A stored file: ``location`` below the store's root, ``size`` in bytes, ``sha256`` in hex."""

    id: UUID
    location: str
    size: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """As a row keeps it."""
        return asdict(self) | {"id": str(self.id)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Blob:
        """The reverse of :meth:`to_json`."""
        return cls(UUID(value["id"]), value["location"], value["size"], value["sha256"])


class BlobStore:
    """Files under one fsspec URL, such as ``file:///var/lib/dna/artifacts`` or ``s3://bucket/dna``."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = url_to_fs(url)

    @property
    def folder(self) -> Path | None:
        """The folder of this machine that it is; None where it is none."""
        return Path(self._root) if isinstance(self._fs, LocalFileSystem) else None

    def reachable(self) -> bool:
        """Whether files could be written and read just now, as far as that is known without doing it."""
        try:
            if self.folder is not None:
                return is_writable(self.folder)
            return bool(self._fs.exists(self._root.partition("/")[0]))
        except OSError:
            return False

    def write(self, source: IO[bytes], *, size: int | None = None, blob_id: UUID | None = None) -> Blob:
        """Stores what ``source`` holds from where it stands to its end, where it is known that many bytes.

        Raises:
            DiskFull: there is no room for it; nothing of it is left.
        """
        with self._room(size):
            return self._write(source, blob_id or new_id())

    def _write(self, source: IO[bytes], blob_id: UUID) -> Blob:
        location = location_of(blob_id)
        digest, size = hashlib.sha256(), 0
        temporary = f"{self._path(location)}.part"
        self._fs.makedirs(temporary.rpartition("/")[0], exist_ok=True)
        try:
            with self._fs.open(temporary, "wb") as target:
                while chunk := source.read(CHUNK):
                    target.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            self._fs.mv(temporary, self._path(location))
        except BaseException:
            self.delete(f"{location}.part")
            raise
        return Blob(blob_id, location, size, digest.hexdigest())

    def write_file(self, path: Path, *, blob_id: UUID | None = None) -> Blob:
        """Stores a local file, under an id of its own or the one given."""
        with path.open("rb") as source:
            return self.write(source, size=path.stat().st_size, blob_id=blob_id)

    def read(self, blob: Blob) -> Iterator[bytes]:
        """The whole file in chunks, checked on the way.

        Raises:
            CorruptArtifact: it is missing, or its size or SHA-256 is not what was written. Raised before the last chunk
                is handed out, so a truncated or altered file never arrives as if complete.
        """
        digest, size, held = hashlib.sha256(), 0, b""
        with self._open(blob) as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if held:
                    yield held
                held = chunk
        if size != blob.size or digest.hexdigest() != blob.sha256:
            raise CorruptArtifact(f"Artifact {blob.id} differs from what was stored ({size} of {blob.size} bytes).")
        if held:
            yield held

    def read_range(self, blob: Blob, start: int, stop: int) -> Iterator[bytes]:
        """Bytes ``start`` to ``stop`` (exclusive) in chunks. A part cannot be checked by hash, only the whole size is.

        Raises:
            CorruptArtifact: the file is missing or has another size.
        """
        if self._size(blob) != blob.size:
            raise CorruptArtifact(f"Artifact {blob.id} has another size than was stored.")
        with self._open(blob) as source:
            source.seek(start)
            left = stop - start
            while left > 0 and (chunk := source.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk

    @contextmanager
    def opened(self, blob: Blob) -> Iterator[IO[bytes]]:
        """The file, to be read from any place: for what has an order of its own. Only its size is checked.

        Raises:
            CorruptArtifact: the file is missing or has another size.
        """
        if self._size(blob) != blob.size:
            raise CorruptArtifact(f"Artifact {blob.id} has another size than was stored.")
        with self._open(blob) as source:
            yield source

    def fetch(self, blob: Blob, target: Path) -> None:
        """Copies the file to a local path, which appears whole or not at all.

        Raises:
            CorruptArtifact: as :meth:`read`.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        # Named after the process: two workers of a machine may lay down the same file at once.
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with temporary.open("wb") as file:
                for chunk in self.read(blob):
                    file.write(chunk)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def folders(self) -> Iterator[tuple[str, list[str]]]:
        """The locations of all files, unfinished ones (``.part``) included, folder by folder. What is not ours is left out."""
        for number in range(256):
            folder = f"{number:02x}"
            self._fs.invalidate_cache(self._path(folder))
            names: list[str] = []
            with suppress(FileNotFoundError):
                names = [str(path).rpartition("/")[2] for path in self._fs.find(self._path(folder))]
            yield folder, [f"{folder}/{name}" for name in names if _NAME.fullmatch(name)]

    def exists(self, location: str) -> bool:
        """Whether a file lies there."""
        return bool(self._fs.exists(self._path(location)))

    def has(self, blob: Blob) -> bool:
        """Whether the file lies there, by its size alone."""
        return self.exists(blob.location) and self._size(blob) == blob.size

    def delete(self, location: str) -> None:
        """Deletes a file; one that is gone already is no error, so a deletion can be repeated."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(location))

    def _room(self, size: int | None) -> AbstractContextManager[None]:
        """Only of a disk of this machine is it known how full it is."""
        if self.folder is None:
            return nullcontext()
        return room_on("the artifacts (DNA_ARTIFACTS_URL)", self.folder, needed=size)

    def _path(self, location: str) -> str:
        return f"{self._root}/{location}"

    def _open(self, blob: Blob) -> Any:
        try:
            return self._fs.open(self._path(blob.location), "rb")
        except FileNotFoundError as error:
            raise CorruptArtifact(f"The file of artifact {blob.id} is missing.") from error

    def _size(self, blob: Blob) -> int:
        try:
            return int(self._fs.size(self._path(blob.location)))
        except FileNotFoundError as error:
            raise CorruptArtifact(f"The file of artifact {blob.id} is missing.") from error


def location_of(blob_id: UUID) -> str:
    """Where the file of that id lies."""
    return f"{blob_id.hex[-2:]}/{blob_id}"


def stored_at(location: str) -> datetime:
    """When the writing of a file began: its name is a UUIDv7, which holds the time, whatever the file system keeps."""
    name = location.rpartition("/")[2].removesuffix(".part")
    return datetime.fromtimestamp((UUID(name).int >> 80) / 1000, UTC)
