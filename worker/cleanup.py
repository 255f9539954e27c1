"""Removes run folders that nobody will need: of searches that have succeeded or were deleted. What they made is stored."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from uuid import UUID

from store import searches
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
