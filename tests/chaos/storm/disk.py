"""A small disk of its own: filled, it says so as any other does (ENOSPC), and nothing else on this machine notices."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

#: Many times of what the jobs of a storm have there.
SIZE = "256m"


class Disk:
    """A tmpfs that is mounted inside the ``with`` block; made by :meth:`at`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def at(cls, folder: Path) -> Self | None:
        """None where nothing may be mounted: that takes root, and more than a container usually has of it."""
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "storm", str(folder)],
            check=False,
            capture_output=True,
        )
        return cls(folder) if mounted.returncode == 0 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def fill(self) -> None:
        with self._ballast.open("wb") as file:
            while left := os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), left)
                except OSError as error:
                    if error.errno != errno.ENOSPC:  # Somebody else has taken some of it meanwhile.
                        raise

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"
