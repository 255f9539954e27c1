"""Celery's way to Redis, for whom a message that is none is no reason to end.

Kombu takes what it finds in a queue for a message that it has put there itself: anything else raised an error that ended the node, and with
it the step that ran.
"""

from __future__ import annotations

import logging
from queue import Empty

from kombu.transport import redis

logger = logging.getLogger("dna.worker.transport")


class Channel(redis.Channel):
    def _brpop_read(self, **options: object) -> bool:
        """Hands on the message that was waited for, or finds that there is none.

        Raises:
            Empty: there was none, or something that cannot be read as one. It is gone from its queue then.
        """
        try:
            return bool(super()._brpop_read(**options))  # type: ignore[no-untyped-call]
        except (Empty, *self.connection_errors, *self.connection.channel_errors):
            raise
        except Exception as error:  # Whatever Kombu makes of what anybody may have put there.
            logger.warning("Dropped what is no message: %s: %.200s", type(error).__name__, error)
            raise Empty from error


class Transport(redis.Transport):
    Channel = Channel
