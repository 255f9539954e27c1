"""Whether Redis, by whose messages a node is woken, answers it."""

from __future__ import annotations

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.app import ANSWER_SECONDS, CONNECT_SECONDS


def answers(url: str) -> bool:
    """Asks over a connection of its own, as the node would have to make one: an old one may stand where a new one comes through no more.

    Takes no longer than ``CONNECT_SECONDS + ANSWER_SECONDS``, but for the look-up of its name.
    """
    once = Retry(NoBackoff(), 0)
    try:
        with Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, retry=once
        ) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
