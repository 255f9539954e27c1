"""Where images come from: the digits, class folders and timm's datasets, as albums that give one picture at a time.

An album knows its labels before any picture is opened, so that a split can be drawn by class. ``data.py`` makes batches.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, UnidentifiedImageError

from dna_engine.errors import DataError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})


class Album(Protocol):
    """Pictures in a fixed order."""

    @property
    def labels(self) -> list[int]:
        """Class numbers from 0, picture by picture."""

    def picture(self, index: int) -> Image.Image:
        """The picture as RGB.

        Raises:
            DataError: it cannot be read.
        """


@dataclass(frozen=True)
class FolderAlbum:
    """Image files."""

    paths: list[Path]
    labels: list[int]

    def picture(self, index: int) -> Image.Image:
        path = self.paths[index]
        try:
            with Image.open(path) as image:
                return image.convert("RGB")
        except (OSError, UnidentifiedImageError, ValueError) as error:
            raise DataError(f"{path} cannot be read as an image ({error}). Remove or replace it.") from error


@dataclass(frozen=True)
class TimmAlbum:
    """A map-style dataset as ``timm.data.create_dataset`` makes it."""

    name: str
    dataset: Any
    labels: list[int]

    def picture(self, index: int) -> Image.Image:
        try:
            image = self.dataset[index][0]
        except (OSError, ValueError) as error:
            raise DataError(f"Image {index} of {self.name} cannot be read ({error}).") from error
        assert isinstance(image, Image.Image)
        return image.convert("RGB")


@dataclass(frozen=True)
class ArrayAlbum:
    """Grey pictures (N, H, W) of unsigned bytes."""

    pixels: np.ndarray[Any, np.dtype[np.uint8]]
    labels: list[int]

    def picture(self, index: int) -> Image.Image:
        return Image.fromarray(self.pixels[index]).convert("RGB")


def open_digits() -> tuple[ArrayAlbum, ArrayAlbum]:
    """Handwritten digits of scikit-learn, 8x8: four fifths of each class to train with, the same in every search."""
    from sklearn.datasets import load_digits  # scikit-learn is slow to import and only the digits need it
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    pixels = (digits.images * (255 / 16)).round().astype(np.uint8)
    parts = train_test_split(pixels, digits.target, test_size=0.2, stratify=digits.target, random_state=0)
    return ArrayAlbum(parts[0], parts[2].tolist()), ArrayAlbum(parts[1], parts[3].tolist())


def open_folder(root: Path) -> tuple[FolderAlbum, FolderAlbum]:
    """Training and test pictures of ``root/train/CLASS/*`` and ``root/test/CLASS/*`` (or ``val``).

    Raises:
        DataError: a folder is missing, a class is empty, or the test classes are not among the training classes.
    """
    train = root / "train"
    test = root / "test" if (root / "test").is_dir() else root / "val"
    for folder in (train, test):
        if not folder.is_dir():
            raise DataError(
                f"{folder} does not exist. A dataset is a folder with train/ and test/ (or val/), each with one folder "
                "of images for every class.",
                param="dataset",
            )
    classes = sorted(entry.name for entry in train.iterdir() if entry.is_dir())
    if unknown := {entry.name for entry in test.iterdir() if entry.is_dir()} - set(classes):
        raise DataError(f"{test} has a class {sorted(unknown)[0]!r} that {train} does not have.", param="dataset")
    if len(classes) < 2:
        raise DataError(f"{train} has {len(classes)} class folders; at least two are needed.", param="dataset")
    return _album(train, classes), _album(test, classes)


def _album(root: Path, classes: list[str]) -> FolderAlbum:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(path for path in (root / name).rglob("*") if path.suffix.lower() in SUFFIXES)
        if not found:
            raise DataError(
                f"{root / name} has no images. Every class needs some in train/ and test/.", param="dataset"
            )
        paths += found
        labels += [label] * len(found)
    return FolderAlbum(paths, labels)


def timm_root() -> Path:
    """Where timm's datasets are kept or downloaded to: ``DNA_DATASETS``, or a folder of the user's cache."""
    return Path(os.environ.get("DNA_DATASETS", Path.home() / ".cache" / "dna-automl" / "datasets"))


def open_timm(name: str) -> tuple[TimmAlbum, TimmAlbum]:
    """Training and validation pictures of a dataset that timm can make, such as ``torch/cifar10``.

    Raises:
        DataError: it cannot be made here, or it can only be streamed.
    """
    return _timm_album(name, "train"), _timm_album(name, "validation")


def _timm_album(name: str, split: str) -> TimmAlbum:
    from timm.data.dataset_factory import create_dataset  # timm.data is slow to import and only these datasets need it

    root = timm_root()
    root.mkdir(parents=True, exist_ok=True)
    download = name.startswith("torch/") and name != "torch/image_folder"
    try:
        dataset = create_dataset(name, root=str(root), split=split, download=download)
    except (OSError, RuntimeError, ValueError, AssertionError, ImportError) as error:
        raise DataError(
            f"timm cannot make the {split} images of {name!r} under {root} ({type(error).__name__}: {error}). Check the "
            "name, or put the data there first.",
            param="dataset",
        ) from error
    return TimmAlbum(name, dataset, _timm_labels(name, dataset))


def _timm_labels(name: str, dataset: Any) -> list[int]:
    if hasattr(dataset, "targets"):  # torchvision's
        return [int(label) for label in dataset.targets]
    reader: Any = getattr(dataset, "reader", None)
    if hasattr(reader, "samples"):  # a folder's
        return [int(sample[1]) for sample in reader.samples]
    if hasattr(reader, "label_key"):  # a table's
        return [int(label) for label in reader.dataset[reader.label_key]]
    raise DataError(
        f"{name!r} does not give its labels in advance, so no images can be held out by class. Store it as class "
        "folders and use those.",
        param="dataset",
    )
