"""Removes what nobody will need: run folders of jobs that have succeeded or were deleted, images of deleted datasets.

What a job made is stored; images that are needed after all are unpacked again.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from store import datasets, expiry
from store.copies import Copies
from store.scratch import remove_abandoned, scratch_folder
from store.session import Sessions, database_id, transaction
from store.settings import Settings

logger = logging.getLogger("dna.worker.cleanup")


#: What a job's folder is called. Whatever else lies beside them is not ours.
JOB = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def remove_run_folders(sessions: Sessions, data_dir: Path, *, resumable_days: float | None = None) -> None:
    """Several nodes of a machine may do this at once; folders of jobs that can be resumed stay.

    Args:
        resumable_days: so long after the job has ended; None: as long as it is there.
    """
    remove_folders(idle_run_folders(sessions, data_dir, resumable_days=resumable_days))


def idle_run_folders(sessions: Sessions, data_dir: Path, *, resumable_days: float | None = None) -> list[Path]:
    """Those that :func:`remove_run_folders` removes."""
    folders = _folders(data_dir / "runs", JOB)
    with transaction(sessions) as session:
        needed = expiry.with_work(session, [UUID(name) for name in folders], resumable_days)
    return [path for name, path in folders.items() if UUID(name) not in needed]


def remove_datasets(sessions: Sessions, datasets_dir: Path) -> None:
    """Unpacked images of uploads that were deleted since, unless another service needs them.

    Those of earlier versions, which belong to nobody, are claimed in one round: they go in the next unless they are stored.
    """
    with transaction(sessions) as session:
        copies = Copies(datasets_dir, database_id(session))
    claimed, present = copies.claimed(), copies.present()
    stored = _stored(sessions, claimed | present)
    for fingerprint in claimed - stored:
        _release(sessions, copies, fingerprint)
    for fingerprint in (present & stored) - claimed | copies.unclaimed():
        copies.claim(fingerprint)


def _stored(sessions: Sessions, fingerprints: set[str]) -> set[str]:
    with transaction(sessions) as session:
        return datasets.with_archive(session, list(fingerprints))


def _release(sessions: Sessions, copies: Copies, fingerprint: str) -> None:
    """One that cannot be removed does not keep the others."""
    try:
        # It may have been uploaded again since.
        if copies.release(fingerprint, needed=lambda: bool(_stored(sessions, {fingerprint}))):
            logger.info("No dataset is left of the images %s; they go when no other service needs them.", fingerprint)
    except OSError as error:
        logger.warning("The images %s cannot be removed: %s", fingerprint, error)


def remove_leftovers(settings: Settings) -> int:
    """What killed processes left: folders in which they received, unpacked or removed something, and files half written. Returns how many."""
    removed = 0
    for root in {settings.data_dir, settings.datasets_dir}:
        for name in remove_abandoned(root):
            logger.info("Removed %s, which a killed process left.", name)
            removed += 1
    for place in half_written(settings):
        with suppress(FileNotFoundError):
            place.unlink()
            removed += 1
    return removed


def half_written(settings: Settings) -> list[Path]:
    """Files of run folders that nobody goes on writing: those of living processes are young."""
    old = time.time() - settings.orphan_hours * 3600
    found = []
    for run in _folders(settings.data_dir / "runs", JOB).values():
        for place in run.glob("**/.*"):
            with suppress(FileNotFoundError):
                if place.is_file() and place.stat().st_mtime < old:
                    found.append(place)
    return found


def _folders(root: Path, named: re.Pattern[str]) -> dict[str, Path]:
    if not root.is_dir():
        return {}
    return {path.name: path for path in root.iterdir() if named.fullmatch(path.name)}


def remove_folders(paths: list[Path]) -> None:
    """Each is moved away before it is emptied: who finds a folder under its name finds it whole, whenever this is killed.

    One that cannot be removed does not keep the others.
    """
    for path in paths:
        try:
            # Another node may have been quicker.
            with suppress(FileNotFoundError), scratch_folder(path.parents[1], "removed") as away:
                path.rename(away / path.name)
                logger.info("Removed the run folder %s.", path.name)
        except OSError as error:
            logger.warning("The run folder %s cannot be removed: %s", path, error)
