"""Pictures of the datasets that timm can make by name, such as ``torch/cifar10``."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from dna_engine.errors import DataError
from dna_engine.images.albums import datasets_root
from dna_engine.images.check.subject import Subject
from dna_engine.images.pictures.file import FetchedFile
from dna_engine.images.pictures.pixels import PLAIN, Look
from dna_engine.images.pictures.prepare import rgb


@dataclass(frozen=True)
class TimmAlbum:
    """A map-style dataset as ``timm.data.create_dataset`` makes it."""

    name: str
    dataset: Any
    labels: list[int]
    distant: ClassVar[bool] = False

    def picture(self, index: int, look: Look = PLAIN, /) -> Image.Image:
        with self._readable(index):
            return rgb(self._image(index), background=look.background, white=look.white)

    def size(self, index: int) -> tuple[int, int]:
        with self._readable(index):
            return self._image(index).size

    def png(self, index: int) -> bytes:
        """The picture as it is stored."""
        file = io.BytesIO()
        with self._readable(index):
            self._image(index).save(file, "PNG")
        return file.getvalue()

    def _image(self, index: int) -> Image.Image:
        image = self.dataset[index][0]
        assert isinstance(image, Image.Image)
        return image

    @contextmanager
    def _readable(self, index: int) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise DataError(f"Image {index} of {self.name} cannot be read ({error}).") from error


def open_timm(name: str) -> tuple[TimmAlbum, TimmAlbum]:
    """Training and validation pictures of a dataset that timm can make, such as ``torch/cifar10``.

    What lies below :func:`~dna_engine.images.albums.datasets_root` is used; what does not, and can be had, is downloaded there.

    Raises:
        DataError: it is not there and cannot be downloaded, a library for it is missing, or it can only be streamed.
    """
    return _timm_album(name, "train"), _timm_album(name, "validation")


def subject_of(albums: tuple[TimmAlbum, TimmAlbum]) -> Subject:
    """For a check: the pictures as they are stored, each as a PNG."""
    train, test = albums
    labels = np.array([*train.labels, *test.labels])
    names = class_names(albums) or [str(number) for number in range(int(labels.max()) + 1)]
    return Subject(
        classes=names,
        parts=["train", "test"],
        files=[
            FetchedFile(f"{split}/{index}", partial(album.png, index))
            for split, album in (("train", train), ("test", test))
            for index in range(len(album.labels))
        ],
        splits=np.repeat([0, 1], [len(train.labels), len(test.labels)]),
        labels=labels,
    )


def class_names(albums: tuple[TimmAlbum, TimmAlbum]) -> list[str]:
    """As the dataset has them; none where it does not."""
    names = getattr(albums[0].dataset, "classes", None)
    return [str(name) for name in names] if isinstance(names, list | tuple) else []


def _timm_album(name: str, split: str) -> TimmAlbum:
    root = datasets_root()
    root.mkdir(parents=True, exist_ok=True)
    try:
        dataset = _made(name, split, root)
    except ImportError as error:
        raise DataError(
            f"Images of {name!r} need a library that is not installed here ({error}): pip install datasets, on every worker.",
            param="dataset",
        ) from error
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise DataError(
            f"timm cannot make the {split} images of {name!r}: they are not below {root}, in the layout of torchvision or of the "
            f"library that is named, or cannot be downloaded to it ({type(error).__name__}: {error}). Check the name, or put the data "
            "there first, on every worker.",
            param="dataset",
        ) from error
    return TimmAlbum(name, dataset, _timm_labels(name, dataset))


def _made(name: str, split: str, root: Path) -> Any:
    """From what is there, or else from what can be downloaded."""
    from timm.data.dataset_factory import create_dataset  # timm.data is slow to import and only these datasets need it

    can_download = name.startswith("torch/") and name != "torch/image_folder"
    with redirect_stdout(sys.stderr):  # Some print, and what the engine prints is read as its events.
        try:
            return create_dataset(name, root=str(root), split=split)
        except RuntimeError:
            if not can_download:
                raise
            return create_dataset(name, root=str(root), split=split, download=True)


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
