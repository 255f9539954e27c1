"""Sends what waits in the outbox to Redis, by task name. Every node does, so messages leave as long as one lives."""

from __future__ import annotations

import logging

from celery import Celery
from kombu.exceptions import OperationalError

from store import outbox
from store.session import Sessions, transaction

logger = logging.getLogger("dna.worker.outbox")


def relay(sessions: Sessions, app: Celery) -> int:
    """Sends the messages that wait and that no other sender holds; returns how many.

    When Redis does not answer they stay, for the next time.
    """
    sent = []
    with transaction(sessions) as session:
        for message in outbox.take_pending(session):
            try:
                app.send_task(message.task, kwargs=message.payload, queue=message.queue, retry=False)
            except OperationalError as error:
                logger.warning("Redis does not answer (%s); messages wait until it does.", error)
                break
            sent.append(message.id)
        outbox.mark_sent(session, sent)
    return len(sent)
