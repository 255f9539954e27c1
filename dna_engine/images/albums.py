"""Where images come from: the digits and class folders, as albums that give one picture at a time. Torch-free.

An album knows its labels before any picture is opened, so that a split can be drawn by class. ``training/batches.py`` makes batches,
``timm_albums.py`` has the albums of timm's datasets.
"""

from __future__ import annotations

import lzma
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from PIL import Image

from dna_engine.images.check import balance
from dna_engine.images.check.facts import white_of
from dna_engine.images.info import DIGITS, Arrangement, DatasetInfo
from dna_engine.images.layout.layout import Layout, read_arranged, read_layout
from dna_engine.images.layout.parts import Part
from dna_engine.images.pictures.picture import open_picture, peak_of, size_of
from dna_engine.images.pictures.pixels import PLAIN, Look
from dna_engine.images.seen import Seen

#: Folder below :func:`datasets_root` in which uploaded datasets are unpacked.
UPLOADS = "uploads"


class Album(Protocol):
    """Pictures in a fixed order."""

    @property
    def labels(self) -> list[int]:
        """Class numbers from 0, picture by picture."""

    @property
    def distant(self) -> bool:
        """Whether who opens a picture waits for an answer from elsewhere, so that several should be asked for at once."""

    def picture(self, index: int, look: Look = PLAIN, /) -> Image.Image:
        """The picture as RGB.

        Raises:
            DataError: it cannot be read.
        """

    def size(self, index: int) -> tuple[int, int]:
        """The picture's width and height in pixels, without decoding more than that takes.

        Raises:
            DataError: it cannot be read.
        """


class Albums(NamedTuple):
    """The pictures of a dataset: to train with, to test with, and to decide by where those are given, not held out."""

    train: Album
    test: Album
    val: Album | None = None


@dataclass(frozen=True)
class FolderAlbum:
    """Image files."""

    paths: list[Path]
    labels: list[int]
    distant: ClassVar[bool] = False

    def picture(self, index: int, look: Look = PLAIN, /) -> Image.Image:
        return open_picture(self.paths[index], look)

    def size(self, index: int) -> tuple[int, int]:
        return size_of(self.paths[index])


@dataclass(frozen=True)
class ArrayAlbum:
    """Grey pictures (N, H, W) of unsigned bytes."""

    pixels: np.ndarray[Any, np.dtype[np.uint8]]
    labels: list[int]
    distant: ClassVar[bool] = False

    def picture(self, index: int, _: Look = PLAIN, /) -> Image.Image:
        return Image.fromarray(self.pixels[index]).convert("RGB")

    def size(self, index: int) -> tuple[int, int]:
        height, width = self.pixels[index].shape
        return width, height


def open_digits() -> tuple[ArrayAlbum, ArrayAlbum]:
    """Handwritten digits, 8x8: four fifths of each class to train with, the same in every search.

    They are those of scikit-learn, of the UCI repository (E. Alpaydin and C. Kaynak, 1998, CC BY 4.0).

    ``digits.xz`` holds the pixels of those to train with and then of those to test with, and behind all pixels their labels, a byte each:
    scikit-learn, which draws such parts, takes longer to load than a short step takes.
    """
    with files("dna_engine").joinpath("digits.xz").open("rb") as packed, lzma.open(packed) as file:
        pixels, labels = np.split(np.frombuffer(file.read(), np.uint8), [(DIGITS.num_train + DIGITS.num_test) * 64])
    pixels, train = pixels.reshape(-1, 8, 8), DIGITS.num_train
    return ArrayAlbum(pixels[:train], labels[:train].tolist()), ArrayAlbum(pixels[train:], labels[train:].tolist())


def open_folder(root: Path, arrangement: Arrangement = "auto") -> Albums:
    """The pictures of a folder, as ``layout.py`` finds them.

    Raises:
        DataError: it holds no dataset, or it cannot be told which.
    """
    return _albums(read_layout(root, arrangement))


def _albums(layout: Layout) -> Albums:
    return Albums(_album(layout.train), _album(layout.test), None if layout.val is None else _album(layout.val))


def _album(part: Part) -> FolderAlbum:
    labels = [label for label, files in enumerate(part.classes.values()) for _ in files]
    return FolderAlbum(part.files, labels)


def open_upload(fingerprint: str) -> Albums:
    """The pictures of an uploaded dataset, where a worker has unpacked it.

    Raises:
        DataError: it has not been unpacked here.
    """
    return _albums(read_arranged(upload_folder(datasets_root(), fingerprint)))


def upload_folder(root: Path, fingerprint: str) -> Path:
    """Where below ``root`` the images of an uploaded dataset lie, unpacked: once for each content."""
    return root / UPLOADS / fingerprint


def datasets_root() -> Path:
    """Where datasets are unpacked or downloaded to: ``DNA_DATASETS``, or a folder of the user's cache."""
    return Path(os.environ.get("DNA_DATASETS", Path.home() / ".cache" / "dna-automl" / "datasets"))


#: Pictures that are opened to learn their size.
LOOKED_AT = 32


def describe(
    name: str, kind: str, location: str, albums: Albums, *, class_names: list[str], seen: Seen | None = None
) -> DatasetInfo:
    """What is known of a dataset from its pictures; where nobody has seen them, the heads of a few are read.

    Raises:
        DataError: one of those cannot be read.
    """
    train, test, val = albums
    seen = seen or _some(train)
    return DatasetInfo.model_validate(
        {
            "name": name,
            "kind": kind,
            "location": location,
            "num_classes": max(train.labels) + 1,
            "num_train": len(train.labels),
            "num_val": 0 if val is None else len(val.labels),
            "num_test": len(test.labels),
            **seen.described,
            "class_names": class_names,
            "warnings": balance.warnings(class_names, train.labels, test.labels),
        }
    )


def _some(album: Album) -> Seen:
    seen = Seen()
    for index in range(0, len(album.labels), max(1, len(album.labels) // LOOKED_AT)):
        seen.add(*album.size(index))
    return seen


def describe_folder(
    name: str, kind: str, location: str, layout: Layout, arrangement: Arrangement = "auto"
) -> DatasetInfo:
    """What is known of the dataset in a folder that was read.

    Raises:
        DataError: a picture that was looked at cannot be read.
    """
    info = describe(name, kind, location, _albums(layout), class_names=list(layout.train.classes))
    files = layout.train.files[:: max(1, len(layout.train.files) // LOOKED_AT)]
    said = {"left_out": layout.left_out, "layout": arrangement, "white": white_of(map(peak_of, files))}
    return info.model_copy(update=said)
