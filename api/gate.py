"""Routes that compute: few of their requests at once, few that wait, the rest is told when to come back.

They run in threads of one process, so many at once would only make all requests slow, the small ones most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import Semaphore

from api.errors import Unavailable


class Gate:
    """Lets ``places`` in at once, and ``waiting`` wait for a place. Of one event loop."""

    def __init__(self, places: int, waiting: int) -> None:
        self._places = Semaphore(places)
        self._waiting = waiting

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place inside, for as long as the block runs.

        Raises:
            Unavailable: as many wait already as may.
        """
        if self._places.value == 0 and self._places.statistics().tasks_waiting >= self._waiting:
            raise Unavailable("As many requests of this kind are under way as are taken at once. Try again.")
        async with self._places:
            yield
