"""Class folders, however they were packed, as a dataset: ``train/`` and ``test/``, every picture opened once."""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from dna_engine.errors import DataError
from dna_engine.images import SUFFIXES

#: Share of every class that is kept for testing where the archive has no test images of its own.
TEST_SHARE = 0.2
#: A picture of more pixels is refused: a small file can hold a huge one.
MAX_PIXELS = 64_000_000
#: Names of bad files that are told.
TOLD = 5

_TEST_NAMES = ("test", "val", "validation", "valid")


def is_picture(name: str) -> bool:
    """Whether a file of that name is taken for an image."""
    return Path(name).suffix.lower() in SUFFIXES


def arrange(unpacked: Path, target: Path) -> None:
    """Moves the class folders of ``unpacked`` to ``target/train`` and ``target/test``.

    They may lie below one folder of any name. Where there are no test images, a fifth of every class becomes them, the same
    files for the same names.

    Raises:
        DataError: there are no class folders, or too few images to keep some for testing.
    """
    root = _root(unpacked)
    train = root / "train" if (root / "train").is_dir() else root
    test = next((root / name for name in _TEST_NAMES if train != root and (root / name).is_dir()), None)
    for folder in filter(None, (train, test)):
        if stray := [entry.name for entry in folder.iterdir() if entry.is_file()]:
            raise DataError(
                f"{stray[0]} lies beside the class folders; put every image into one of them.", param="file"
            )
    if test is not None:
        test.rename(_made(target) / "test")
    train.rename(_made(target) / "train")
    if test is None:
        _keep_some(target)


def _root(unpacked: Path) -> Path:
    """The folder that holds the classes or ``train``; an archive often has one folder around all."""
    root = unpacked
    while not (root / "train").is_dir():
        inside = list(root.iterdir()) if root.is_dir() else []
        if len(inside) != 1 or not inside[0].is_dir():
            break
        root = inside[0]
    if not root.is_dir() or not any(entry.is_dir() for entry in root.iterdir()):
        raise DataError(
            "The archive holds no class folders with images. Pack one folder of images for every class, or train/ and test/ "
            f"with such folders. Files are taken for images by their names: {', '.join(sorted(SUFFIXES))}.",
            param="file",
        )
    return root


def _keep_some(target: Path) -> None:
    for folder in sorted(entry for entry in (target / "train").iterdir() if entry.is_dir()):
        files = _files(folder)
        if len(files) < 2:
            raise DataError(
                f"The class {folder.name!r} has one image; it needs at least two, one to train and one to test with.",
                param="file",
            )
        kept = random.Random(folder.name).sample(files, max(1, round(TEST_SHARE * len(files))))
        for path in kept:
            path.rename(_made((target / "test" / path.relative_to(target / "train")).parent) / path.name)


def check_pictures(root: Path) -> None:
    """Opens every file below ``root`` as an image.

    Raises:
        DataError: some cannot be read or are too large; the message names the first.
    """
    files = _files(root)
    with ThreadPoolExecutor() as pool:
        bad = [(path, why) for path, why in zip(files, pool.map(_fault, files), strict=True) if why]
    if bad:
        named = "; ".join(f"{path.relative_to(root)}: {why}" for path, why in bad[:TOLD])
        more = f" and {len(bad) - TOLD} more" if len(bad) > TOLD else ""
        raise DataError(
            f"{len(bad)} of {len(files)} files cannot be used as images ({named}{more}). Remove or replace them.",
            param="file",
        )


def _fault(path: Path) -> str | None:
    """What is wrong with a picture; JPEGs are decoded at a small scale, which reads the whole file all the same."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                return f"{image.width} x {image.height} pixels, more than {MAX_PIXELS:,} in all"
            image.draft("RGB", (64, 64))
            image.load()
    except Exception as error:  # A decoder may raise anything on bytes from a stranger.
        return f"{type(error).__name__}: {error}".replace(str(path), path.name)[:200]
    return None


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


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
