"""A full disk, in words that say which and how full. Torch-free: whoever writes files uses it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dna_engine.errors import DiskFull

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def room_on(what: str, folder: Path, *, needed: int | None = None) -> Iterator[None]:
    """Inside the block files are written below ``folder``, which people know as ``what``; ``needed`` bytes of them.

    Raises:
        DiskFull: the disk, or what may be used of it, is.
    """
    try:
        yield
    except DiskFull:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        wanted = f"{size(needed)} needed, " if needed is not None else ""
        raise DiskFull(f"The disk of {what} is full: {wanted}{size(free(folder))} free. Make room there.") from error


def is_full(error: Exception) -> bool:
    """Libraries that write files themselves tell it in the text only."""
    return (isinstance(error, OSError) and error.errno in _FULL) or f"(os error {errno.ENOSPC})" in str(error)


def size(count: int) -> str:
    """A number of bytes as people read it: ``1.5 GB``."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def free(folder: Path) -> int:
    """Bytes left on the disk of a folder, or of the nearest above it that exists."""
    return shutil.disk_usage(_standing(folder)).free


def total(folder: Path) -> int:
    """Bytes of that disk."""
    return shutil.disk_usage(_standing(folder)).total


def device(folder: Path) -> int:
    """Number of the disk of a folder, as :func:`free` has it."""
    return _standing(folder).stat().st_dev


def is_writable(folder: Path) -> bool:
    """Whether files may be written there, or the folder be made."""
    there = _standing(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _standing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
