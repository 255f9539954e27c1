"""Sends what waits in the outbox to Redis, by task name: the API knows no code of the workers.

PostgreSQL is the truth and Redis only wakes, so a Redis that is down fails no request: the messages stay in the outbox,
and a worker sends them when Redis is back.
"""

from __future__ import annotations

import logging

from celery import Celery
from kombu.exceptions import OperationalError

from api.errors import AWAY
from store import outbox
from store.session import Sessions, transaction

logger = logging.getLogger("dna.api.queue")

_TIMEOUT_SECONDS = 2.0


class Queue:
    """A Celery producer on the outbox."""

    def __init__(self, redis_url: str, sessions: Sessions) -> None:
        self._sessions = sessions
        self._celery = Celery("api", broker=redis_url, set_as_current=False)
        self._celery.conf.update(
            task_serializer="json",
            broker_connection_timeout=_TIMEOUT_SECONDS,
            broker_transport_options={
                "socket_timeout": _TIMEOUT_SECONDS,
                "socket_connect_timeout": _TIMEOUT_SECONDS,
                "max_retries": 0,
            },
        )

    def send_pending(self) -> int:
        """Sends the messages that wait; returns how many. Call after the commit that put them there.

        What cannot be sent now, for want of Redis or of PostgreSQL, a worker sends later: the request is done.
        """
        try:
            return self._send()
        except AWAY as error:
            logger.warning("The database does not answer (%s); the messages are sent when it does.", error)
            return 0

    def _send(self) -> int:
        sent = []
        with transaction(self._sessions) as session:
            for message in outbox.take_pending(session):
                try:
                    self._celery.send_task(
                        message.task, kwargs=message.payload, queue=message.queue, retry=False, ignore_result=True
                    )
                except OperationalError as error:
                    logger.warning("Redis does not answer (%s); the messages are sent when it does.", error)
                    break
                sent.append(message.id)
            outbox.mark_sent(session, sent)
        return len(sent)

    def close(self) -> None:
        """Closes the connections to Redis."""
        self._celery.close()
