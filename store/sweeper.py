"""Stored files without rows, and rows without files: what is left when a process dies between the two.

A file is an orphan only when it is older than any write may take, since its row may still come; and never while it is entered as loose
(``store.files``), however old it seems: its name tells the time by its writer's clock, which may be wrong by days. When most files seem to
be orphans, the folder is more likely another database's than ours: nothing is deleted then, unless a person says so.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store import files
from store.blobs import BlobStore, stored_at
from store.session import Sessions, be_patient, clock, transaction
from store.tables import Artifact

logger = logging.getLogger("dna.store.sweeper")

#: Number of the lock that one sweeper at a time holds.
LOCK = 0x73776565
#: Folders of the store, of 256, whose rows are read together.
AT_ONCE = 16
#: So many orphans are never suspicious.
FEW = 100


@dataclass
class Findings:
    """What was found among ``files`` old enough to judge. ``missing`` are locations that rows name and nothing lies at."""

    files: int = 0
    orphans: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def suspicious(self) -> bool:
        """Whether so many are orphans that the rows may be those of another service."""
        return len(self.orphans) > max(FEW, self.files // 2)


def look(sessions: Sessions, blobs: BlobStore, *, older_than: timedelta) -> Findings:
    """Compares files with rows, some folders at a time. Deletes nothing."""
    findings = Findings()
    with transaction(sessions) as session:
        limit = clock(session) - older_than
    folders = blobs.folders()
    while some := dict(islice(folders, AT_ONCE)):
        with transaction(sessions) as session:
            # In this order: one that is given its row between the two is found by the first.
            loose = files.loose_in(session, list(some))
            named = files.named_in(session, list(some))
        found = {location for locations in some.values() for location in locations}
        old = [location for location in found if stored_at(location) < limit]
        findings.files += len(old)
        findings.orphans += [one for one in old if one not in named and one.removesuffix(".part") not in loose]
        findings.missing += [location for location in named - found if not blobs.exists(location)]
    findings.missing = _still_named(sessions, findings.missing)
    return findings


def sweep(sessions: Sessions, blobs: BlobStore, *, older_than: timedelta) -> None:
    """Deletes orphans and reports what is missing; does nothing while another process sweeps."""
    with transaction(sessions) as holder:
        be_patient(holder)
        if not holder.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
            return
        findings = look(sessions, blobs, older_than=older_than)
        with transaction(sessions) as session:
            for artifact in _artifacts(session, findings.missing):
                logger.error("The file of %s of job %s is gone.", artifact.name, artifact.job_id)
        if findings.suspicious:
            logger.error(
                "%d of %d stored files have no row. Is the folder another service's, or the database an old copy? Nothing is "
                "deleted; python -m store sweep shows them.",
                len(findings.orphans),
                findings.files,
            )
        else:
            remove(sessions, blobs, findings.orphans)


def remove(sessions: Sessions, blobs: BlobStore, orphans: list[str]) -> None:
    """Deletes files, those excepted that have a row by now."""
    files.discard(sessions, blobs, orphans)
    if orphans:
        logger.info("Deleted %d stored files that no row names.", len(orphans))


def _still_named(sessions: Sessions, locations: list[str]) -> list[str]:
    """Without those that were deleted together with their rows meanwhile."""
    named: set[str] = set()
    for start in range(0, len(locations), files.BATCH):
        with transaction(sessions) as session:
            named |= files.named(session, locations[start : start + files.BATCH])
    return sorted(named)


def _artifacts(session: Session, locations: list[str]) -> list[Artifact]:
    return list(session.scalars(select(Artifact).where(Artifact.location.in_(locations[: files.BATCH]))))
