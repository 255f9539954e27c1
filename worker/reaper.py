"""Finds work that nobody does: steps whose worker was lost, and queued steps whose message was."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import redis
from sqlalchemy.exc import OperationalError

from store import claims, flow, steps
from store.session import Sessions, transaction
from store.settings import Settings
from store.tables import Job

logger = logging.getLogger("dna.worker.reaper")

#: How long Redis may take to say what waits in it.
REDIS_SECONDS = 2.0


def reap(sessions: Sessions) -> None:
    """Takes steps from workers that were lost: into the queue again, or failed when they were tried too often.

    Each in a transaction of its own: one whose job somebody else holds keeps no other waiting. Safe to run in several nodes
    at once.
    """
    with transaction(sessions) as session:
        expired = claims.expired(session)
    for seen in expired:
        try:
            with transaction(sessions) as session:
                step = flow.reap(session, seen)
                request_id = step and session.get_one(Job, step.job_id).request_id
        except OperationalError as error:
            logger.warning("Step %s, whose worker was lost, is looked at again later: %s", seen.id, error.orig)
            continue
        if step is not None:
            ids = {"request_id": request_id, "job_id": str(step.job_id), "step_id": str(step.id)}
            logger.warning("The worker of %s was lost; the step is %s.", step.key, step.state, extra=ids)


def rewake(sessions: Sessions, settings: Settings) -> None:
    """Announces queued steps again whose message was lost. Safe to run in several nodes at once.

    Raises:
        RedisError: Redis does not say what waits in it; nothing could be announced either.
    """
    # While messages wait in a queue its workers are busy, and nothing says that any is lost.
    with transaction(sessions) as session:
        waited_in = steps.waited_in(session)
    empty = _empty(waited_in, settings)
    with transaction(sessions) as session:
        lost = steps.rewake(session, empty, after=timedelta(seconds=settings.rewake_seconds))
    if lost:
        logger.info("Announced %d steps again that nobody has claimed.", lost)


def _empty(queues: Sequence[str], settings: Settings) -> list[str]:
    """Those without a message."""
    assert settings.redis_url is not None
    with redis.Redis.from_url(settings.redis_url, socket_timeout=REDIS_SECONDS) as client:
        return [queue for queue in queues if client.llen(queue) == 0]
