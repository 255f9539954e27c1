"""Folders that work is done in: gone at its end, and when its process was killed, as soon as another looks."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Literal

Purpose = Literal["incoming", "unpacking", "removed"]

_NAMED = re.compile(r"\.(incoming|unpacking|removed)-.+")
#: Locked by the process that works in the folder; the lock goes away with it.
_LOCK = ".lock"


@contextmanager
def scratch_folder(parent: Path, purpose: Purpose) -> Iterator[Path]:
    """A new folder below ``parent``, on the same disk as what is moved from or to it; gone after the block."""
    parent.mkdir(parents=True, exist_ok=True)
    folder, lock = _locked(parent, purpose)
    with lock:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _locked(parent: Path, purpose: Purpose) -> tuple[Path, IO[str]]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{purpose}-", dir=parent))
        # Another process may have taken it for abandoned before it was locked.
        with suppress(FileNotFoundError), ExitStack() as closing:
            lock = closing.enter_context((folder / _LOCK).open("a"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.samestat((folder / _LOCK).stat(), os.fstat(lock.fileno())):
                closing.pop_all()
                return folder, lock


def abandoned(parent: Path) -> list[Path]:
    """The folders below ``parent`` that killed processes left."""
    return [folder for folder in _folders(parent) if _if_abandoned(folder, lambda _: None)]


def remove_abandoned(parent: Path) -> list[str]:
    """Removes the folders below ``parent`` that killed processes left; returns their names."""
    return [folder.name for folder in _folders(parent) if _if_abandoned(folder, _remove) and not folder.exists()]


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if _NAMED.fullmatch(path.name)] if parent.is_dir() else []


def _if_abandoned(folder: Path, do: Callable[[Path], None]) -> bool:
    """Does something to a folder in which nobody works; returns whether that is so."""
    try:
        with (folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            do(folder)
    except OSError:  # Somebody works in it, or has just removed it.
        return False
    return True


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
