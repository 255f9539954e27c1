"""Finds out what a dataset is by its name: built in, a folder, shards at a URL, or one of timm's."""

from __future__ import annotations

from pathlib import Path

from dna_engine.images.albums import Albums, datasets_root, describe, describe_folder
from dna_engine.images.info import BUILTIN, Arrangement, DatasetInfo, builtin
from dna_engine.images.layout import read_layout
from dna_engine.images.shards.album import survey_url
from dna_engine.images.shards.places import is_url
from dna_engine.images.timm_albums import class_names, open_timm

#: What timm calls a folder of tar shards, below that of datasets.
WEB_DATASET = "wds/"


def survey(name: str, arrangement: Arrangement = "auto") -> DatasetInfo:
    """What is known of a dataset before its images are read.

    Args:
        name: of a built-in dataset; the path of a folder of class folders; the URL of shards; or timm's, such as ``torch/cifar10``,
            and ``wds/birds`` of shards below the folder of datasets.
        arrangement: how a folder is understood.

    Raises:
        UnknownName: there is none of that name.
        DataError: it is there but cannot be used.
    """
    root = Path(name)
    if root.is_dir():
        root = root.resolve()
        return describe_folder(root.name, "folder", str(root), read_layout(root, arrangement), arrangement)
    if is_url(name):
        return survey_url(name)
    if name.startswith(WEB_DATASET):  # timm's has no labels before its pictures are read.
        return survey_url((datasets_root() / name.removeprefix(WEB_DATASET)).resolve().as_uri())
    if name not in BUILTIN and "/" in name:
        albums = open_timm(name)
        return describe(name, "timm", name, Albums(*albums), class_names=class_names(albums))
    return builtin(name)
