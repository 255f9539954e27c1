"""Finds out what a dataset is by its name: built in, a folder, shards at a URL, or one of timm's."""

from __future__ import annotations

from pathlib import Path

from dna_engine.errors import DataError, DatasetChanged
from dna_engine.images.albums import Albums, datasets_root, describe, describe_folder
from dna_engine.images.arrange import quick_fingerprint
from dna_engine.images.info import BUILTIN, Arrangement, DatasetInfo, builtin
from dna_engine.images.layout.layout import read_layout
from dna_engine.images.shards.album import survey_url
from dna_engine.images.shards.places import is_url
from dna_engine.images.timm_albums import class_names, open_timm

#: What timm calls a folder of tar shards, below that of datasets.
WEB_DATASET = "wds/"


def check_unchanged(dataset: DatasetInfo) -> None:
    """Looks whether a folder still holds what it held when it became a dataset, by names, sizes and times: nothing is opened.

    Raises:
        DatasetChanged: it does not. Of a dataset of another kind, whose images cannot change, nothing is asked.
    """
    if dataset.fingerprint is None:
        return
    try:
        now = quick_fingerprint(read_layout(Path(dataset.location), dataset.layout))
    except (DataError, OSError) as error:
        raise _changed(dataset, f"its folder cannot be read as it was: {error}") from error
    if now != dataset.fingerprint:
        raise _changed(dataset, "files in its folder were added, removed or written")


def _changed(dataset: DatasetInfo, how: str) -> DatasetChanged:
    return DatasetChanged(
        f"The images of {dataset.name} are not those that this job began with: {how}. What the job has made so far is kept. Put the "
        "folder back as it was and resume the job; or make a dataset of the folder again, and a new job on that.",
        param="dataset",
    )


def url_of(name: str) -> str | None:
    """Where the shards lie that are called so; None for a name of another kind. timm's reader of ``wds/`` does not know labels before it
    has read the pictures."""
    if name.startswith(WEB_DATASET):
        return (datasets_root() / name.removeprefix(WEB_DATASET)).resolve().as_uri()
    return name if is_url(name) else None


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
        layout = read_layout(root, arrangement)
        info = describe_folder(root.name, "folder", str(root), layout, arrangement)
        return info.model_copy(update={"fingerprint": quick_fingerprint(layout)})
    if (url := url_of(name)) is not None:
        return survey_url(url)
    if name not in BUILTIN and "/" in name:
        albums = open_timm(name)
        return describe(name, "timm", name, Albums(*albums), class_names=class_names(albums))
    return builtin(name)
