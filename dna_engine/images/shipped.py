"""What is shown of a dataset that ships with the engine, which nobody has to check: its classes counted, and pictures of each. Torch-free."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image

from dna_engine.images.albums import ArrayAlbum, open_digits
from dna_engine.images.check.check import TEST, TRAIN
from dna_engine.images.check.report import ClassCount
from dna_engine.images.check.samples import SampleWriter, spread
from dna_engine.images.info import builtin


def class_counts(dataset: str) -> list[ClassCount]:
    """Its classes in the order of their numbers, with the pictures of each split.

    Raises:
        UnknownName: none of that name ships with the engine.
    """
    info = builtin(dataset)
    counted = {split: Counter(album.labels) for split, album in _albums().items()}
    return [
        ClassCount(name=name, images={split: counts[label] for split, counts in counted.items()})
        for label, name in enumerate(info.class_names)
    ]


@cache
def sample_archive(dataset: str) -> bytes:
    """A few pictures of each class to train with, as :mod:`dna_engine.images.check.samples` keeps them.

    Raises:
        UnknownName: none of that name ships with the engine.
    """
    info = builtin(dataset)
    album, target = _albums()[TRAIN], io.BytesIO()
    with SampleWriter(target) as writer:
        for label in range(info.num_classes):
            writer.add_class(_pictures(album, label))
    return target.getvalue()


def _albums() -> dict[str, ArrayAlbum]:
    """Those of the digits, as they alone ship."""
    return dict(zip((TRAIN, TEST), open_digits(), strict=True))


def _pictures(album: ArrayAlbum, label: int) -> Iterator[tuple[str, Image.Image]]:
    of_it = np.flatnonzero(np.array(album.labels) == label).tolist()
    for index in spread(of_it):
        yield f"{TRAIN}, picture {index}", album.picture(index)
