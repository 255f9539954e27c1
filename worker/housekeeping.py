"""What one worker does for all: rows, stored files and studies that have had their time are deleted."""

from __future__ import annotations

import logging
from datetime import timedelta

from store import expiry, retention, sweeper, tallies, tunings, workers
from store.session import transaction
from worker.slot import Slot

logger = logging.getLogger("dna.worker.housekeeping")


def keep_house(slot: Slot) -> None:
    """Does nothing but in the oldest worker that is live: one is enough. Harmless when two take themselves for it."""
    settings = slot.settings
    with transaction(slot.sessions) as session:
        live = workers.live(session, within=settings.worker_timeout)
    if live and live[0].id != slot.worker.id:
        return
    deleted = retention.purge(slot.sessions, settings)
    deleted |= expiry.expire(slot.sessions, slot.blobs, settings)
    with transaction(slot.sessions) as session:
        tallies.fold(session)
    if said := ", ".join(f"{count} of {what}" for what, count in deleted.items() if count):
        logger.info("Deleted what is old: %s.", said)
    tunings.tidy(slot.sessions, slot.studies)
    sweeper.sweep(slot.sessions, slot.blobs, older_than=timedelta(hours=settings.orphan_hours))
