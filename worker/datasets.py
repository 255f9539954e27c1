"""What datasets need on this machine, the images of uploads and the index of shards: unpacked from what is stored when a step first
needs them, once for all workers."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from dna_engine.checking import KEPT
from dna_engine.disk import room_on
from dna_engine.images.archive import Limits, unpack
from dna_engine.images.info import DatasetInfo
from dna_engine.plans.results import Checked
from store import datasets
from store.blobs import Blob, BlobStore
from store.copies import Copies
from store.scratch import scratch_folder
from store.session import Sessions, database_id, transaction
from worker.run_folder import MissingFile

logger = logging.getLogger("dna.worker.datasets")


def keep(found: Checked, run: Path, sessions: Sessions, datasets_dir: Path) -> None:
    """Spares the workers of this machine the unpacking of images that were checked here; another upload of the same may have done so."""
    if found.info is None or found.info.kind not in datasets.LAID_DOWN:
        return
    try:
        with transaction(sessions) as session:
            copies = Copies(datasets_dir, database_id(session))
        if copies.claim(found.info.location):
            return
        with copies.alone(found.info.location):
            if not copies.claim(found.info.location):
                copies.put(run / KEPT, found.info.location)
    except (OSError, SQLAlchemyError) as error:
        logger.warning("The images of %s do not stay here, workers will unpack them: %s", found.info.name, error)


def lay_down(info: DatasetInfo, sessions: Sessions, blobs: BlobStore, datasets_dir: Path) -> None:
    """Sees to it that the engine finds the images. Those of the engine, of the server and of timm are its own affair; of
    shards that lie elsewhere it needs the index.

    Raises:
        MissingFile: the archive is no longer stored.
        CorruptArtifact: it is not what was stored.
    """
    if info.kind not in datasets.LAID_DOWN:
        return
    with transaction(sessions) as session:
        archive = datasets.archive_of(session, info.location)
        copies = Copies(datasets_dir, database_id(session))
    if archive is None:
        raise MissingFile(f"The dataset {info.name} is no longer stored; upload it again to go on.")
    if copies.claim(info.location):
        return
    with copies.alone(info.location):
        if not copies.claim(info.location):  # Another worker of this machine may have been at it.
            _unpack(archive, info.location, blobs, copies)


def _unpack(archive: Blob, fingerprint: str, blobs: BlobStore, copies: Copies) -> None:
    with (
        scratch_folder(copies.root, "unpacking") as folder,
        room_on("the datasets (DNA_DATASETS)", copies.root, needed=2 * archive.size),
    ):
        blobs.fetch(archive, folder / "archive.tar")
        size = archive.size  # It was packed by the service, and a tar holds no more than its size.
        limits = Limits(total_bytes=size, file_bytes=size, entries=size, folders=size, ratio=1)
        with (folder / "archive.tar").open("rb") as packed:
            unpack(packed, folder / "images", wanted=_all, limits=limits)
        copies.put(folder / "images", fingerprint)


def _all(_: str, __: bytes) -> bool:
    """What the service packed is needed, all of it."""
    return True
