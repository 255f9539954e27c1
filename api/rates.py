"""How often a caller may ask for what costs the service much: counted in Redis, so that all processes of the API count together."""

from __future__ import annotations

import logging
import math
import time

import redis
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.errors import TooManyRequests

logger = logging.getLogger("dna.api")


class Rate:
    """So many times a minute for each caller. Safe to use from several threads.

    While Redis does not answer nobody is counted: it is no reason not to serve.
    """

    def __init__(self, client: redis.Redis, what: str, per_minute: int) -> None:
        """``client`` is the service's own, which closes it; ``what`` names that which is counted, in Redis and in the error."""
        self._what = what
        self._limit: RateLimitItem = RateLimitItemPerMinute(per_minute, namespace=f"dna:{what}")
        # The address is not looked at where there are connections.
        storage = RedisStorage("redis://", connection_pool=client.connection_pool)
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def count(self, caller: str) -> None:
        """Counts one more of this caller.

        Raises:
            TooManyRequests: it is one too many; the error says when to come back.
        """
        try:
            within = self._limiter.hit(self._limit, caller)
            reset = 0.0 if within else self._limiter.get_window_stats(self._limit, caller).reset_time
        except redis.RedisError as error:
            logger.warning("Redis does not answer, so %s are not counted: %s", self._what, error)
            return
        if not within:
            seconds = max(1, math.ceil(reset - time.time()))
            raise TooManyRequests(
                f"{self._limit.amount:,} {self._what} a minute are taken from one caller. Try again in {seconds} s.",
                seconds,
            )
