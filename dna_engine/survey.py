"""Finds out what a dataset is by its name: built in, a folder, or one of timm's."""

from __future__ import annotations

import statistics
from pathlib import Path

from dna_engine.dataset import BUILTIN, DatasetInfo, builtin
from dna_engine.images import Album, open_folder, open_timm

#: Pictures that are opened to learn their size.
LOOKED_AT = 32


def survey(name: str) -> DatasetInfo:
    """What is known of a dataset before its images are read.

    Args:
        name: of a built-in dataset; the path of a folder with ``train/`` and ``test/``; or timm's, such as
            ``torch/cifar10``.

    Raises:
        UnknownName: there is none of that name.
        DataError: it is there but cannot be used.
    """
    root = Path(name)
    if root.is_dir():
        return _describe(root.resolve().name, "folder", str(root.resolve()), *open_folder(root), names=_classes(root))
    if name not in BUILTIN and "/" in name:
        return _describe(name, "timm", name, *open_timm(name), names=[])
    return builtin(name)


def _describe(name: str, kind: str, location: str, train: Album, test: Album, *, names: list[str]) -> DatasetInfo:
    every = max(1, len(train.labels) // LOOKED_AT)
    sides = [min(train.picture(index).size) for index in range(0, len(train.labels), every)]
    return DatasetInfo.model_validate(
        {
            "name": name,
            "kind": kind,
            "location": location,
            "num_classes": max(train.labels) + 1,
            "num_train": len(train.labels),
            "num_test": len(test.labels),
            "image_size": int(statistics.median(sides)),
            "class_names": names,
        }
    )


def _classes(root: Path) -> list[str]:
    return sorted(entry.name for entry in (root / "train").iterdir() if entry.is_dir())
