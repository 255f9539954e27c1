"""Takes in a dataset: an archive, unpacked, checked and stored before it can be searched on, or a folder of the server."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from sqlalchemy.orm import Session

from api.datasets.upload import Sent
from api.errors import ClientGone, Invalid
from api.resources import Resources
from dna_engine.errors import DataError
from dna_engine.images import arrange
from dna_engine.images.albums import describe_folder
from dna_engine.images.archive import Limits, pack
from dna_engine.images.info import DatasetInfo
from dna_engine.images.layout import read_arranged, read_layout
from dna_engine.images.reading import Reading, read_archive
from store import datasets
from store.copies import Copies
from store.files import Drafts
from store.scratch import scratch_folder
from store.session import database_id
from store.tables import Dataset

logger = logging.getLogger("dna.api.datasets")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ARCHIVE_SUFFIX = re.compile(r"(\.zip|\.tar|\.tgz|\.tbz2?|\.txz|\.tar\.(gz|bz2|xz))$", re.IGNORECASE)
#: Characters of a path that a system takes; finding out what a much longer one means takes long.
_LONGEST_PATH = 4096
#: Of what a user sent, in an answer.
_SHOWN = 200
#: Unpacked, a dataset may be larger than its archive may be, by this factor.
UNPACKED = 4


def create(session: Session, resources: Resources, drafts: Drafts, sent: Sent) -> Dataset:
    """The dataset that was sent or named; its archive is among the drafts until the transaction is committed.

    Raises:
        Invalid: the name is none, or the folder is not one that may be used.
        NameTaken: there is a dataset of that name.
        DataError: the archive cannot be read, is not safe to unpack, or holds no dataset; or the folder is none.
    """
    name = sent.name or _ARCHIVE_SUFFIX.sub("", PurePosixPath(sent.filename or sent.folder or "").name)
    if not NAME.fullmatch(name):
        raise _invalid(
            "name",
            f"{name[:_SHOWN]!r} cannot name a dataset: take up to 100 letters, digits, dots, dashes and underscores",
        )
    datasets.check_free(session, name)
    if sent.archive is not None:
        return take_in(session, resources, drafts, name, sent.archive, sent.reading, sent.gone)
    folders = resources.settings.allowed_folders
    return refer(session, _allowed(sent.folder or "", folders), name, sent.reading, within=folders)


def refer(session: Session, folder: Path, name: str, reading: Reading, *, within: Sequence[Path]) -> Dataset:
    """A dataset of images that stay where they are. Its fingerprint is of their names, sizes and times, not of their contents."""
    with _wrong_in("folder"):
        layout = read_layout(folder, reading.layout, within=within)
        info = describe_folder(name, "folder", str(folder), layout, reading.layout)
        fingerprint = arrange.quick_fingerprint(layout)
    return datasets.create(session, info, fingerprint=fingerprint)


def _allowed(folder: str, roots: Sequence[Path]) -> Path:
    """The folder, where it lies below one that the operator allows. The answer is the same whether others exist or not."""
    shown = folder if len(folder) <= _SHOWN else f"{folder[:_SHOWN]}..."
    try:
        path = Path(folder).resolve() if len(folder) <= _LONGEST_PATH and Path(folder).is_absolute() else None
        there = path is not None and any(path.is_relative_to(root) for root in roots) and path.is_dir()
    except (OSError, ValueError, RuntimeError):  # Too long, forbidden; NUL; links in a circle.
        path = there = None
    if path is None or not any(path.is_relative_to(root) for root in roots):
        raise _invalid(
            "folder", f"{shown!r} does not lie below a folder that DNA_DATASET_FOLDERS allows; send an archive instead"
        )
    if not there:
        raise _invalid("folder", f"{shown!r} is no folder")
    return path


def _invalid(field: str, detail: str) -> Invalid:
    return Invalid(f"{detail}.", errors=[{"pointer": f"#/{field}", "detail": detail}])


def take_in(
    session: Session,
    resources: Resources,
    drafts: Drafts,
    name: str,
    archive: IO[bytes],
    reading: Reading,
    gone: Callable[[], bool],
) -> Dataset:
    """The dataset of the archive's images. Nothing is left of one that is refused, or whose sender has gone."""
    settings = resources.settings
    limits = Limits(total_bytes=UNPACKED * settings.max_upload_bytes, entries=settings.max_upload_entries)
    with scratch_folder(settings.datasets_dir, "incoming") as folder:
        with _wrong_in("file"):
            layout = read_archive(archive, folder / "unpacked", reading, limits=limits, stopped=gone)
            # While the files have the names that the sender knows.
            arrange.check_pictures(layout, folder / "unpacked", resources.decoder, gone)
        images = folder / "images"
        arrange.arrange(layout, images)
        info, fingerprint = _described(images, name, layout.left_out)
        pack(images, folder / "archive.tar")
        if gone():
            raise ClientGone
        [stored] = drafts.write_files([folder / "archive.tar"])
        dataset = datasets.create(session, info, fingerprint=fingerprint, archive=stored)
        _keep(images, fingerprint, Copies(settings.datasets_dir, database_id(session)))
    return dataset


def _described(images: Path, name: str, left_out: list[str]) -> tuple[DatasetInfo, str]:
    fingerprint = arrange.fingerprint(images)
    info = describe_folder(name, "upload", fingerprint, read_arranged(images))
    return info.model_copy(update={"left_out": left_out}), fingerprint


@contextmanager
def _wrong_in(field: str) -> Iterator[None]:
    """Where a dataset is none, the field of the request that brought it is at fault."""
    try:
        yield
    except DataError as error:
        raise DataError(error.message, param=field if error.param == "dataset" else error.param) from error


def _keep(images: Path, fingerprint: str, copies: Copies) -> None:
    """Spares a worker on this machine the unpacking; another upload of the same images may have done so already."""
    try:
        if not copies.claim(fingerprint):
            copies.put(images, fingerprint)
    except OSError as error:
        logger.warning("The images of an upload do not stay here, workers will unpack them: %s", error)
