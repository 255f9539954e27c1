"""Finds work that nobody does: steps whose worker was lost, and queued steps whose message was."""

from __future__ import annotations

import logging
from datetime import timedelta

from store import flow, outbox, steps
from store.session import Sessions, transaction
from store.settings import Settings

logger = logging.getLogger("dna.worker.reaper")

#: Sent messages are kept this long, to be looked at when something went wrong.
KEEP_SENT = timedelta(hours=1)


def reap(sessions: Sessions, settings: Settings) -> None:
    """Puts such steps into the queue again, or fails those that were tried too often. Safe to run in several nodes at once."""
    with transaction(sessions) as session:
        for step in flow.reap(session):
            logger.warning("The worker of step %s was lost; the step is %s.", step.id, step.state)
    with transaction(sessions) as session:
        lost = steps.rewake(session, after=timedelta(seconds=settings.rewake_seconds))
        outbox.purge_sent(session, older_than=KEEP_SENT)
    if lost:
        logger.info("Announced %d steps again that nobody has claimed.", lost)
