"""What is noted of the pictures of shards, and which part of a dataset a path speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dna_engine.images.check.report import printable
from dna_engine.images.layout.split_names import Split, splits_in
from dna_engine.images.shards.places import wrong

#: Longest name of a class, in bytes, as where classes are folders.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A picture in a shard.

    Attributes:
        name: of it there.
        label: the name or number of its class; None where there is none.
        start: where the picture begins in a tar, in bytes; its row in a Parquet file.
        size: bytes that it takes in a tar; 0 where that is not known before it is read.
        group: rows of a Parquet file are read together with those of their group.
        folders: in which it lies inside a tar, but for that of its class.
    """

    name: str
    label: str | int | None
    start: int
    size: int = 0
    group: int = 0
    folders: Sequence[str] = ()


def split_of(names: Sequence[str]) -> Split | None:
    """The part of a dataset that a path speaks of, as in ``data/train-00003-of-00032.parquet``.

    Raises:
        DataError: of several.
    """
    said: set[Split] = set().union(*map(splits_in, names))
    if len(said) > 1:
        raise wrong(
            f"{'/'.join(names)} is named after several parts of a dataset ({', '.join(sorted(said))}). Rename it."
        )
    return next(iter(said), None)


def labels_in_order(labels: Iterable[str | int]) -> list[str | int]:
    """Numbers before names, each sorted."""
    return sorted(labels, key=lambda label: (isinstance(label, str), label))


def class_name(label: str | int, url: str) -> str:
    """What the class of a label is called.

    Raises:
        DataError: it cannot be stored or shown everywhere.
    """
    name = str(label)
    if printable(name) != name or len(name.encode()) > _LONGEST:
        raise wrong(
            f"There is the label {name[:_LONGEST]!r} in the shards at {url}, which cannot be the name of a class: write it without control "
            f"characters, in at most {_LONGEST} bytes."
        )
    return name
