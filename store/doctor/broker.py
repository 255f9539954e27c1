"""Redis: whether it answers, and keeps what it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import redis

from dna_engine.disk import size
from store.doctor.findings import Finding, ok, warning, wrong

CHECK = "Redis"

#: Of the memory that it may have, from which on it is nearly out of it.
NEARLY = 0.8
#: Seconds to wait for it.
PATIENCE = 2.0
#: The oldest that is tested.
OLDEST = (6, 2)


def look(url: str | None) -> Iterator[Finding]:
    """By what it says of itself."""
    if url is None:
        yield wrong(CHECK, "DNA_REDIS_URL is not set.", "Set it, such as redis://:password@host:6379/0.")
        return
    try:
        with redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as client:
            begun = time.perf_counter()
            said: dict[str, Any] = client.info()
            yield _answers(said, time.perf_counter() - begun)
            client.ping()
            yield from _memory(said)
            yield from _persistence(said)
    except (redis.RedisError, ValueError) as error:
        advice = "Start it, or put DNA_REDIS_URL right. Until then jobs are taken, and wait."
        if "MISCONF" in str(error):
            advice = "It cannot write to its disk: make room there. Until then jobs are taken, and wait."
        yield wrong(CHECK, f"It does not answer: {error}", advice)


def _answers(info: dict[str, Any], seconds: float) -> Finding:
    version = str(info["redis_version"])
    said = f"{version} answers in {1000 * seconds:.1f} ms; {info['connected_clients']} clients."
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        return warning(CHECK, said, f"Use version {'.'.join(map(str, OLDEST))} or newer: older ones are not tested.")
    return ok(CHECK, said)


def _memory(info: dict[str, Any]) -> Iterator[Finding]:
    policy, most, used = info.get("maxmemory_policy", "noeviction"), info.get("maxmemory", 0), info["used_memory"]
    if policy != "noeviction":
        yield wrong(
            CHECK,
            f"It may throw messages away when its memory is full (maxmemory-policy {policy}).",
            "CONFIG SET maxmemory-policy noeviction, and write it into its configuration.",
        )
    if most and used > NEARLY * most:
        yield warning(CHECK, f"{size(used)} of {size(most)} of its memory are taken.", "Raise its maxmemory.")


def _persistence(info: dict[str, Any]) -> Iterator[Finding]:
    if not info.get("aof_enabled"):
        yield warning(
            CHECK,
            "It keeps no log of what it is told (appendonly no): restarted, it has forgotten the messages, and steps wait until they are "
            "announced again.",
            "CONFIG SET appendonly yes, and write it into its configuration.",
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
        yield wrong(CHECK, "It could not write its log.", "Make room on its disk.")
