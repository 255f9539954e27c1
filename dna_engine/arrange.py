"""The images of an unpacked archive as the service keeps them: ``train/`` and ``test/``, every picture opened once."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dna_engine.errors import DataError
from dna_engine.layout import TOLD, Layout
from dna_engine.picture import fault


def check_pictures(layout: Layout, root: Path) -> None:
    """Opens every picture; the layout is that of ``root``.

    Raises:
        DataError: some cannot be read or are too large; the message names the first.
    """
    files = sorted({*layout.train.files, *layout.test.files})
    with ThreadPoolExecutor() as pool:
        bad = [(path, why) for path, why in zip(files, pool.map(fault, files), strict=True) if why]
    if bad:
        named = "; ".join(f"{path.relative_to(root)}: {why}" for path, why in bad[:TOLD])
        more = f" and {len(bad) - TOLD} more" if len(bad) > TOLD else ""
        raise DataError(
            f"{len(bad)} of {len(files)} files cannot be used as images ({named}{more}). Remove or replace them.",
            param="dataset",
        )


def arrange(layout: Layout, target: Path) -> None:
    """Moves the pictures to ``target/train`` and ``target/test``."""
    for split, part in (("train", layout.train), ("test", layout.test)):
        for path in part.files:
            place = target / split / path.relative_to(part.root)
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


def quick_fingerprint(root: Path) -> str:
    """SHA-256 over the names, sizes and times of all files below ``root``: for folders too large to be read."""
    digest = hashlib.sha256()
    for path in _files(root):
        about = path.stat()
        digest.update(f"{path.relative_to(root).as_posix()}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())
