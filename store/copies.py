"""The images of uploads on this machine: unpacked once for all workers, also of several services that share ``DNA_DATASETS``.

A service marks a copy as needed before it looks for it, and takes its mark away when it has no such dataset any more. The copy goes
with the last mark. A mark is an empty file, ``uploads/.needed/<database>/<fingerprint>``.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dna_engine.images.albums import UPLOADS, upload_folder
from store.scratch import scratch_folder

#: What the images of an upload are called. Whatever else lies beside them is not ours.
FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Copies:
    """Those below ``root``, as seen by the service on ``database`` (``store.session.database_id``)."""

    root: Path
    database: str

    def claim(self, fingerprint: str) -> bool:
        """From now on nobody removes the copy; returns whether there is one."""
        mark = self._marks / self.database / fingerprint
        mark.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            mark.touch()
            return upload_folder(self.root, fingerprint).exists()

    @contextmanager
    def alone(self, fingerprint: str) -> Iterator[None]:
        """For who makes a claimed copy: others who would, on this machine, wait, and look again. The lock is the system's, and goes with its
        holder, even a killed one."""
        with self._lock_of(fingerprint).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def put(self, images: Path, fingerprint: str) -> None:
        """Moves images to where a claimed copy was missing, unless somebody was quicker."""
        target = upload_folder(self.root, fingerprint)
        try:
            images.rename(target)
        except OSError:
            if not target.is_dir():
                raise

    def release(self, fingerprint: str, *, needed: Callable[[], bool]) -> bool:
        """Takes the mark away, with the last one the copy, which is moved away whole before it is emptied; returns whether it did.

        Args:
            needed: asked when nobody can claim the copy: true leaves all as it is.
        """
        with scratch_folder(self.root, "removed") as away, self._locked():
            if needed():
                return False
            if self._claimed_by(fingerprint) <= {self.database}:
                with suppress(FileNotFoundError):
                    upload_folder(self.root, fingerprint).rename(away / fingerprint)
            (self._marks / self.database / fingerprint).unlink(missing_ok=True)
            if not self._claimed_by(fingerprint):
                self._lock_of(fingerprint).unlink(missing_ok=True)
            return True

    def claimed(self) -> set[str]:
        """What this service has marked."""
        return _fingerprints(self._marks / self.database)

    def unclaimed(self) -> set[str]:
        """Copies without any mark: earlier versions made none."""
        return {copy for copy in self.present() if not self._claimed_by(copy)}

    def present(self) -> set[str]:
        """All copies."""
        return _fingerprints(self.root / UPLOADS)

    def _claimed_by(self, fingerprint: str) -> set[str]:
        return {mark.parent.name for mark in self._marks.glob(f"*/{fingerprint}")}

    def _lock_of(self, fingerprint: str) -> Path:
        return self._marks / f".{fingerprint}.lock"

    @property
    def _marks(self) -> Path:
        return self.root / UPLOADS / ".needed"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._marks / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _fingerprints(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if FINGERPRINT.fullmatch(path.name)} if folder.is_dir() else set()
