"""Lays a benchmark's images down as class folders, so that everything after it is an ordinary search.

Reads Fashion-MNIST's four original files, a folder with ``train/`` and ``test/`` (or ``val/``), or a zip of one.
"""

from __future__ import annotations

import gzip
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dna_engine.errors import DataError
from dna_engine.images.albums import Album, ArrayAlbum, open_folder
from dna_engine.images.info import DatasetInfo
from dna_engine.training.splits import by_class

_IDX_HEADER = {"images": 16, "labels": 8}


def lay_down(source: Path, target: Path, *, train_images: int, test_images: int) -> DatasetInfo:
    """A subset of ``source``, the same share of every class, as PNG files under ``target``; done once.

    Raises:
        DataError: ``source`` holds no images in a form that is read here.
    """
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        for split, album, count in zip(
            ("train", "test"), _open(source, target), (train_images, test_images), strict=True
        ):
            _write(album, target / split, count)
        (target / "complete").write_text(str(source.resolve().name))
    train, test, _ = open_folder(target)
    return DatasetInfo(
        name=source.stem,
        kind="folder",
        location=str(target),
        num_classes=len(set(train.labels)),
        num_train=len(train.labels),
        num_test=len(test.labels),
        image_size=train.picture(0).width,
    )


def _open(source: Path, target: Path) -> tuple[Album, Album]:
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            archive.extractall(target / ".source")
        return open_folder(target / ".source")[:2]
    if (source / "train-images-idx3-ubyte.gz").exists():
        return _idx(source, "train"), _idx(source, "t10k")
    if not source.is_dir():
        raise DataError(f"{source} is neither a folder nor a zip of class folders.", param="data")
    return open_folder(source)[:2]


def _idx(folder: Path, split: str) -> ArrayAlbum:
    """Pictures of 28x28 and labels in the format of MNIST: a header of big-endian numbers, then bytes."""
    images = _bytes(folder / f"{split}-images-idx3-ubyte.gz", _IDX_HEADER["images"]).reshape(-1, 28, 28)
    return ArrayAlbum(images, _bytes(folder / f"{split}-labels-idx1-ubyte.gz", _IDX_HEADER["labels"]).tolist())


def _bytes(path: Path, header: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header)


def _write(album: Album, folder: Path, count: int) -> None:
    chosen, _ = by_class(album.labels, count, seed=0)
    for label in set(album.labels):
        (folder / f"{label:04d}").mkdir(parents=True)
    for index in chosen:
        album.picture(index).save(folder / f"{album.labels[index]:04d}" / f"{index:06d}.png")


def classes(album: Album) -> Iterator[int]:
    """Class numbers that occur."""
    yield from sorted(set(album.labels))
