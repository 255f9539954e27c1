"""What jobs wait for, looked at once in a while for all who ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from store import waiting
from store.session import Sessions, transaction
from store.waiting import Queues

logger = logging.getLogger("dna.api.waits")

#: For so long a look is good for all, in seconds.
GOOD_SECONDS = 1.0

#: For so long it is given to who asks while another is made behind it: with ten thousand jobs a look takes longer than an answer may.
LAST_SECONDS = 3.0

#: What matters where no job is unfinished.
NOTHING = Queues([], [], datetime.min.replace(tzinfo=UTC))


class Waits:
    """The queues as they were a moment ago. Safe to use from several threads."""

    def __init__(self, sessions: Sessions, live_within: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._live_within = live_within
        self._clock = clock
        self._looked: tuple[float, Queues] | None = None
        self._lock = threading.Lock()
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="waits")

    def of(self, unfinished: Collection[UUID]) -> Queues:
        """The queues, as far as they matter to these jobs. One that has come since the last look makes it be looked again."""
        if not unfinished:
            return NOTHING
        if (queues := self._known(unfinished, within=GOOD_SECONDS)) is not None:
            return queues
        if (queues := self._known(unfinished, within=LAST_SECONDS)) is not None:
            if self._lock.acquire(blocking=False):
                self._behind.submit(self._look_behind)
            return queues
        with self._lock:
            return self._known(unfinished, within=GOOD_SECONDS) or self._look()

    def close(self) -> None:
        """Nothing is looked for any more."""
        self._behind.shutdown()

    def _known(self, jobs: Collection[UUID], *, within: float) -> Queues | None:
        """The last look, where it is not older and knows the jobs."""
        if self._looked is None:
            return None
        at, queues = self._looked
        return queues if self._clock() - at < within and all(map(queues.knows, jobs)) else None

    def _look(self) -> Queues:
        with transaction(self._sessions) as session:
            queues = waiting.look(session, live_within=self._live_within)
        self._looked = (self._clock(), queues)
        return queues

    def _look_behind(self) -> None:
        """Holds the lock, which who asked has taken."""
        try:
            self._look()
        except SQLAlchemyError as error:
            logger.warning("What jobs wait for could not be looked at, and is by whoever asks next: %s", error)
        finally:
            self._lock.release()
