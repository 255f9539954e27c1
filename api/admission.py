"""Whether those who listen to a stream may go on: not for long after the key that let them in was revoked or has expired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from anyio import CapacityLimiter, to_thread

from store import keys
from store.session import Sessions, transaction


class Admission:
    """The keys of those who listen in this process."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._thread = CapacityLimiter(1)
        self._listening: Counter[UUID] = Counter()
        self._ended: frozenset[UUID] = frozenset()

    @contextmanager
    def let_in(self, key_id: UUID | None) -> Iterator[None]:
        """Somebody listens as long as the block runs, by that key; None without one."""
        held = [key_id] if key_id else []
        self._listening.update(held)
        try:
            yield
        finally:
            self._listening -= Counter(held)

    def admits(self, key_id: UUID | None) -> bool:
        """Whether who was let in by that key may go on."""
        return key_id not in self._ended

    async def look(self) -> bool:
        """Looks at the keys again; whether one more has ended, so that its listeners are to be woken."""
        if not self._listening:
            return False
        known = self._ended
        self._ended = await to_thread.run_sync(self._look, list(self._listening), limiter=self._thread)
        return bool(self._ended - known)

    def _look(self, listening: list[UUID]) -> frozenset[UUID]:
        with transaction(self._sessions) as session:
            return keys.ended(session, listening)
