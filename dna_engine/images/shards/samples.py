"""The samples of shards, one after the other, with their bytes: read once, for the check and the index at the same time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dna_engine.images.picture_file import HeldFile
from dna_engine.images.shards.places import wrong

#: What people call the parts of a dataset, as words of a path.
_SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_WORD = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class Found:
    """A picture in a shard.

    Attributes:
        label: the name or number of its class; None where there is none.
        start: where the picture begins in a tar, in bytes; its row in a Parquet file.
        group: rows of a Parquet file are read together with those of their group.
        folders: in which it lies inside a tar, but for that of its class.
    """

    picture: HeldFile
    label: str | int | None
    start: int
    group: int = 0
    folders: Sequence[str] = ()


@dataclass(frozen=True)
class Sample:
    """A picture in a shard, and which part of the dataset it belongs to: ``train``, ``val`` or ``test``; None where nothing says so."""

    shard: int
    split: str | None
    found: Found


def split_of(names: Sequence[str]) -> str | None:
    """The part of a dataset that a path speaks of, as in ``data/train-00003-of-00032.parquet``.

    Raises:
        DataError: of several.
    """
    said = {_SPLITS[word] for name in names for word in _WORD.split(name.lower()) if word in _SPLITS}
    if len(said) > 1:
        raise wrong(
            f"{'/'.join(names)} is named after several parts of a dataset ({', '.join(sorted(said))}). Rename it."
        )
    return next(iter(said), None)


def labels_in_order(labels: Iterator[str | int] | set[str | int]) -> list[str | int]:
    """Numbers before names, each sorted."""
    return sorted(labels, key=lambda label: (isinstance(label, str), label))
