"""Keys that were accepted a moment ago: who calls again is known without asking the database."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from store.keys import Caller

#: More keys than this are never in use at once; those that were accepted longest ago are looked up again.
_MOST = 1024


class AcceptedKeys:
    """Callers by their keys, each for so many seconds. Safe to use from several threads.

    A key that is revoked through this process opens nothing from then on; where another process has revoked it, after those seconds
    at the latest. Keys themselves are not kept, but their SHA-256.

    Args:
        seconds: 0: none is kept.
        clock: in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()
        self._changes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Caller | None:
        """Whose the key is, where it was accepted within those seconds."""
        found = self._known.get(_digest(key))
        return found[0] if found is not None and self._clock() < found[1] else None

    @property
    def changes(self) -> int:
        """How many there were. Ask before a key is looked up, and say so when it is accepted."""
        return self._changes

    def accept(self, key: str, caller: Caller, *, changes: int) -> None:
        """Keeps that a key was found to be valid: unless one was revoked since it was looked up, which may be this one."""
        with self._lock:
            if changes == self._changes:
                digest = _digest(key)
                self._known[digest] = (caller, self._clock() + min(self._seconds, _left(caller)))
                self._known.move_to_end(digest)
                if len(self._known) > _MOST:
                    self._known.popitem(last=False)

    def forget(self, key_id: UUID) -> None:
        """A key is valid no more, or for something else. To be called once that is committed."""
        with self._lock:
            self._changes += 1
            for digest in [digest for digest, (known, _) in self._known.items() if known.actor.key_id == key_id]:
                del self._known[digest]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _left(caller: Caller) -> float:
    """Seconds until the key expires."""
    return math.inf if caller.expires_at is None else (caller.expires_at - datetime.now(UTC)).total_seconds()
