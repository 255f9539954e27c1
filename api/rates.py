"""How often a caller may ask for what costs the service much: counted in Redis, so that all processes of the API count together."""

from __future__ import annotations

import logging
import math
import time
from fractions import Fraction
from uuid import UUID

import redis
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.errors import TooManyRequests
from store.limits import LONGEST_WINDOW

logger = logging.getLogger("dna.api")


class Rate:
    """So many times a minute for each caller. Safe to use from several threads.

    While Redis does not answer nobody is counted: it is no reason not to serve.
    """

    def __init__(self, client: redis.Redis, what: str, per_minute: int) -> None:
        """``client`` is the service's own, which closes it; ``what`` names that which is counted, in Redis and in the error."""
        self._what = what
        self._limit: RateLimitItem = RateLimitItemPerMinute(per_minute, namespace=f"dna:{what}")
        self._limiter = _limiter(client)

    def count(self, caller: str) -> None:
        """Counts one more of this caller.

        Raises:
            TooManyRequests: it is one too many; the error says when to come back.
        """
        told = f"{self._limit.amount:,} {self._what} a minute are taken from one caller."
        _count(self._limiter, self._limit, caller, told)


class KeyRates:
    """Requests of keys, each with a limit of its own. Likewise, and Redis is asked of keys with a limit alone."""

    def __init__(self, client: redis.Redis) -> None:
        self._limiter = _limiter(client)

    def count(self, key_id: UUID, per_second: float) -> None:
        """Counts one more request of a key.

        Raises:
            TooManyRequests: it is one too many; the error says when to come back.
        """
        times = Fraction(per_second).limit_denominator(LONGEST_WINDOW)
        limit = RateLimitItemPerSecond(times.numerator, times.denominator, namespace="dna:requests")
        _count(self._limiter, limit, str(key_id), f"{per_second:g} requests a second are taken of this key.")


def _limiter(client: redis.Redis) -> SlidingWindowCounterRateLimiter:
    # The address is not looked at where there are connections.
    return SlidingWindowCounterRateLimiter(RedisStorage("redis://", connection_pool=client.connection_pool))


def _count(limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, caller: str, told: str) -> None:
    try:
        within = limiter.hit(limit, caller)
        reset = 0.0 if within else limiter.get_window_stats(limit, caller).reset_time
    except redis.RedisError as error:
        logger.warning("Redis does not answer, so nothing of %s is counted: %s", limit.namespace, error)
        return
    if not within:
        seconds = max(1, math.ceil(reset - time.time()))
        raise TooManyRequests(f"{told} Try again in {seconds} s.", seconds)
