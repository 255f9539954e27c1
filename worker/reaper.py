"""Finds work that nobody does: steps whose worker was lost, and queued steps whose message was."""

from __future__ import annotations

import logging
from datetime import timedelta

import redis

from store import flow, outbox, steps
from store.session import Sessions, transaction
from store.settings import Settings

logger = logging.getLogger("dna.worker.reaper")

#: Sent messages are kept this long, to be looked at when something went wrong.
KEEP_SENT = timedelta(hours=1)

#: How long Redis may take to say what waits in it.
REDIS_SECONDS = 2.0


def reap(sessions: Sessions, settings: Settings) -> None:
    """Puts such steps into the queue again, or fails those that were tried too often. Safe to run in several nodes at once."""
    with transaction(sessions) as session:
        for step in flow.reap(session):
            logger.warning("The worker of step %s was lost; the step is %s.", step.id, step.state)
    # While messages wait in a queue its workers are busy, and nothing says that any is lost.
    empty = _empty_queues(settings)
    with transaction(sessions) as session:
        lost = steps.rewake(session, empty, after=timedelta(seconds=settings.rewake_seconds))
        outbox.purge_sent(session, older_than=KEEP_SENT)
    if lost:
        logger.info("Announced %d steps again that nobody has claimed.", lost)


def _empty_queues(settings: Settings) -> list[str]:
    """None while Redis does not answer: nothing could be announced then."""
    assert settings.redis_url is not None
    with redis.Redis.from_url(settings.redis_url, socket_timeout=REDIS_SECONDS) as client:
        try:
            return [queue for queue in ("gpu", "cpu") if client.llen(queue) == 0]
        except redis.RedisError as error:
            logger.warning("Redis does not answer: %s", error)
            return []
