"""Removes what nobody will need: run folders of searches that have succeeded or were deleted, images of deleted datasets.

What a search made is stored; images that are needed after all are unpacked again.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from uuid import UUID

from dna_engine.images import UPLOADS
from store import datasets, searches
from store.session import Sessions, transaction

logger = logging.getLogger("dna.worker.cleanup")


def remove_run_folders(sessions: Sessions, data_dir: Path) -> None:
    """Several nodes of a machine may do this at once; folders of searches that can be resumed stay."""
    runs = data_dir / "runs"
    folders = {UUID(path.name): path for path in runs.iterdir()} if runs.is_dir() else {}
    with transaction(sessions) as session:
        needed = searches.with_work(session, list(folders))
    for search_id, path in folders.items():
        if search_id not in needed:
            shutil.rmtree(path, ignore_errors=True)
            logger.info("Removed the run folder of search %s.", search_id)


def remove_datasets(sessions: Sessions, datasets_dir: Path) -> None:
    """Unpacked images of uploads that were deleted since."""
    uploads = datasets_dir / UPLOADS
    folders = {path.name: path for path in uploads.iterdir()} if uploads.is_dir() else {}
    with transaction(sessions) as session:
        stored = datasets.with_archive(session, list(folders))
    for fingerprint, path in folders.items():
        if fingerprint not in stored:
            shutil.rmtree(path, ignore_errors=True)
            logger.info("Removed the images of a deleted dataset, %s.", fingerprint)
