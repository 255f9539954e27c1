"""Finds out what a dataset is by its name: built in, a folder, shards at a URL, or one of timm's."""

from __future__ import annotations

from pathlib import Path

from dna_engine.images.albums import describe, describe_folder
from dna_engine.images.info import BUILTIN, DatasetInfo, builtin
from dna_engine.images.layout import read_layout
from dna_engine.images.shards.album import survey_url
from dna_engine.images.shards.places import is_url
from dna_engine.images.timm_albums import open_timm


def survey(name: str) -> DatasetInfo:
    """What is known of a dataset before its images are read.

    Args:
        name: of a built-in dataset; the path of a folder of class folders; the URL of shards; or timm's, such as ``torch/cifar10``.

    Raises:
        UnknownName: there is none of that name.
        DataError: it is there but cannot be used.
    """
    root = Path(name)
    if root.is_dir():
        root = root.resolve()
        return describe_folder(root.name, "folder", str(root), read_layout(root))
    if is_url(name):
        return survey_url(name)
    if name not in BUILTIN and "/" in name:
        return describe(name, "timm", name, open_timm(name), class_names=[])
    return builtin(name)
