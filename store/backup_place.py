"""Where backups lie, at any fsspec URL::

files/3f/0193...     stored files, each once, whichever backups name it: they never change
20261127T041817Z/    a backup: the rows as they were at that time, and which files they name
    database.dump    pg_dump's custom format
    files.jsonl      location, size and SHA-256 of each file
    backup.json      written last: without it the backup was cut short, and does not count
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from fsspec.core import url_to_fs

from store.blobs import Blob, BlobStore
from store.errors import StoreError

_NAMED = re.compile(r"\d{8}T\d{6}Z")
_DUMP, _FILES, _ABOUT = "database.dump", "files.jsonl", "backup.json"


def name_at(time: datetime) -> str:
    """How a backup is named whose rows are of that time."""
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


@dataclass(frozen=True)
class Backup:
    """What a backup says of itself. ``version`` is the service's, ``revision`` that of its schema; ``missing`` are files that were damaged or gone when it was taken."""

    name: str
    version: str
    revision: str
    postgresql: str
    files: int
    bytes: int
    copied: int
    missing: list[str]


class Place:
    """A folder of backups."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs, self._root = url_to_fs(url)
        self.blobs = BlobStore(f"{url.rstrip('/')}/files")

    def all(self) -> list[Backup]:
        """Those that are whole, the oldest first."""
        self._fs.invalidate_cache()
        found: list[str] = []
        with suppress(FileNotFoundError):
            found = [str(path).rstrip("/").rpartition("/")[2] for path in self._fs.ls(self._root, detail=False)]
        whole = [name for name in sorted(found) if _NAMED.fullmatch(name) and self._fs.exists(self._at(name, _ABOUT))]
        return [Backup(**json.loads(self._fs.cat_file(self._at(name, _ABOUT)))) for name in whole]

    def find(self, name: str | None) -> Backup:
        """The backup of that name, or the newest.

        Raises:
            StoreError: there is none.
        """
        backups = self.all()
        found = next((one for one in reversed(backups) if name in (None, one.name)), None)
        if found is None:
            there = f"There are: {', '.join(one.name for one in backups)}." if backups else "There is none at all."
            raise StoreError(f"There is no {f'backup {name}' if name else 'backup'} at {self.url}. {there}")
        return found

    def write(self, backup: Backup, dump: Path, files: Iterable[Blob]) -> None:
        """Adds a backup whose files are copied already."""
        self._fs.makedirs(self._at(backup.name), exist_ok=True)
        self._fs.put_file(str(dump), self._at(backup.name, _DUMP))
        lines = [json.dumps({"location": file.location, "size": file.size, "sha256": file.sha256}) for file in files]
        self._fs.pipe_file(self._at(backup.name, _FILES), "".join(f"{line}\n" for line in lines).encode())
        self._fs.pipe_file(self._at(backup.name, _ABOUT), json.dumps(asdict(backup), indent=2).encode())

    def fetch_dump(self, backup: Backup, target: Path) -> None:
        """Copies the dump to a local path."""
        self._fs.get_file(self._at(backup.name, _DUMP), str(target))

    def files(self, backup: Backup) -> Iterator[Blob]:
        """The files that the rows of a backup name."""
        for line in self._fs.cat_file(self._at(backup.name, _FILES)).splitlines():
            said = json.loads(line)
            yield Blob(UUID(said["location"].rpartition("/")[2]), **said)

    def keep(self, newest: int) -> None:
        """Deletes all backups but so many, and the files that none of those names."""
        backups = self.all()
        for backup in backups[:-newest]:
            self._fs.rm_file(self._at(backup.name, _ABOUT))  # First: from here on it does not count.
            self._fs.rm(self._at(backup.name), recursive=True)
        named = {file.location for backup in backups[-newest:] for file in self.files(backup)}
        for _, found in self.blobs.folders():
            for location in found:
                if location not in named:
                    self.blobs.delete(location)

    def _at(self, *parts: str) -> str:
        return "/".join([self._root, *parts])
