"""Has running steps make way for what has waited long and goes first."""

from __future__ import annotations

import logging
from datetime import timedelta

from store import preemption
from store.session import Sessions, transaction
from worker.settings import WorkerSettings
from worker.supervisor import CHECKPOINT_GRACE

logger = logging.getLogger("dna.worker.preemption")


def make_way(sessions: Sessions, settings: WorkerSettings) -> None:
    """Asks a step to yield, where one is to. Safe to run in several nodes at once."""
    patience = timedelta(seconds=settings.preempt_seconds)
    with transaction(sessions) as session:
        asked = preemption.make_way(session, patience=patience, hanging=max(patience, CHECKPOINT_GRACE))
    if asked is not None:
        logger.info("Step %s is to yield for job %s: %s.", asked.step_id, asked.job_id, asked.reason)
