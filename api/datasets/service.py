"""Takes in a dataset that is sent as an archive: unpacked, checked and stored before it can be searched on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from sqlalchemy.orm import Session

from api.errors import Invalid
from api.resources import Resources
from dna_engine import arrange
from dna_engine.archive import Limits, pack, unpack
from dna_engine.dataset import DatasetInfo
from dna_engine.errors import DataError
from dna_engine.images import class_names, describe, open_folder, upload_folder
from store import datasets
from store.columns import new_id
from store.tables import Dataset

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ARCHIVE_SUFFIX = re.compile(r"(\.zip|\.tar|\.tgz|\.tbz2?|\.txz|\.tar\.(gz|bz2|xz))$", re.IGNORECASE)
#: Unpacked, a dataset may be larger than its archive may be, by this factor.
UNPACKED = 4


def dataset_name(given: str | None, filename: str | None) -> str:
    """The name as given, or that of the file without its suffix.

    Raises:
        Invalid: it is no name for a dataset.
    """
    name = given or _ARCHIVE_SUFFIX.sub("", PurePosixPath(filename or "").name)
    if not NAME.fullmatch(name):
        detail = f"{name!r} cannot name a dataset: take up to 100 letters, digits, dots, dashes and underscores"
        raise Invalid(f"{detail}.", errors=[{"pointer": "#/name", "detail": detail}])
    return name


def take_in(session: Session, resources: Resources, name: str, archive: IO[bytes]) -> Dataset:
    """The dataset of the archive's images. Nothing is left of one that is refused.

    Raises:
        NameTaken: there is a dataset of that name.
        DataError: the archive cannot be read, is not safe to unpack, or holds no dataset.
    """
    datasets.check_free(session, name)
    limits = Limits(total_bytes=UNPACKED * resources.settings.max_upload_bytes)
    with _workshop(resources.settings.datasets_dir) as folder:
        unpack(archive, folder / "unpacked", wanted=arrange.is_picture, limits=limits)
        images = folder / "images"
        arrange.arrange(folder / "unpacked", images)
        arrange.check_pictures(images)
        info, fingerprint = _described(images, name)
        pack(images, folder / "archive.tar")
        stored = resources.blobs.write_file(folder / "archive.tar")
        try:
            dataset = datasets.create(session, info, fingerprint=fingerprint, archive=stored)
        except BaseException:
            resources.blobs.delete(stored.location)
            raise
        _keep(images, upload_folder(resources.settings.datasets_dir, fingerprint))
    return dataset


def _described(images: Path, name: str) -> tuple[DatasetInfo, str]:
    fingerprint = arrange.fingerprint(images)
    try:
        info = describe(name, "upload", fingerprint, open_folder(images), class_names=class_names(images))
    except DataError as error:
        # Where the service has unpacked it says nothing to the sender.
        raise DataError(error.message.replace(f"{images}/", ""), param="file") from error
    return info, fingerprint


@contextmanager
def _workshop(datasets_dir: Path) -> Iterator[Path]:
    """A folder on the disk of the datasets, gone afterwards."""
    folder = datasets_dir / f".incoming-{new_id()}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep(images: Path, target: Path) -> None:
    """Spares a worker on this machine the unpacking; another upload of the same images may have done so already."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        images.rename(target)
