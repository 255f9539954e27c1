"""The images of an unpacked archive as the service keeps them: ``train/``, ``val/`` and ``test/``, every picture opened once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from dna_engine.errors import DataError
from dna_engine.images.check.report import NAMED
from dna_engine.images.layout.layout import Layout
from dna_engine.images.pictures.decoder import Decoder


def check_pictures(layout: Layout, root: Path, decoder: Decoder, stopped: Callable[[], bool] = lambda: False) -> None:
    """Opens every picture; the layout is that of ``root``.

    Raises:
        DataError: some cannot be read or are too large; the message names the first.
        Interrupted: ``stopped`` said so.
    """
    files = sorted(set(layout.files))
    bad = decoder.faults(files, stopped)
    first = list(islice(bad, NAMED))
    if first:
        others = sum(1 for _ in bad)
        named = "; ".join(f"{path.relative_to(root)}: {why}" for path, why in first)
        more = f" and {others} more" if others else ""
        raise DataError(
            f"{len(first) + others} of {len(files)} files cannot be used as images ({named}{more}). Remove or replace them.",
            param="dataset",
        )


def arrange(layout: Layout, target: Path) -> None:
    """Moves the pictures to ``target/train``, ``target/test`` and, where there are some, ``target/val``."""
    for split, part in layout.parts.items():
        for inside, path in part.placed:
            place = target / split / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)


def fingerprint(root: Path) -> str:
    """SHA-256 over the names and contents of all files below ``root``, in the order of their names."""
    digest = hashlib.sha256()
    for path in _files(root):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + content)
    return digest.hexdigest()


def quick_fingerprint(layout: Layout) -> str:
    """SHA-256 over the names, sizes and times of the pictures, through links: for folders too large to be read."""
    digest = hashlib.sha256()
    for split, part in layout.parts.items():
        for inside, path in part.placed:
            about = path.stat()
            name = f"{split}/{inside}".encode(errors="surrogateescape")
            digest.update(name + f"\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())
