"""What jobs wait for, looked at once in a while for all who ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
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


class _Look(NamedTuple):
    begun: float
    ended: float
    queues: Queues


class Waits:
    """The queues as they were a moment ago. Safe to use from several threads."""

    def __init__(self, sessions: Sessions, live_within: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._live_within = live_within
        self._clock = clock
        self._looked: _Look | None = None
        self._lock = threading.Lock()
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="waits")

    def of(self, unfinished: Collection[UUID]) -> Queues:
        """The queues, as far as they matter to these jobs. One that has come since the last look makes it be looked again."""
        if not unfinished:
            return NOTHING
        asked = self._clock()
        if (queues := self._known(unfinished, within=GOOD_SECONDS)) is not None:
            return queues
        if (queues := self._known(unfinished, within=LAST_SECONDS)) is not None:
            if self._lock.acquire(blocking=False):
                self._behind.submit(self._look_behind)
            return queues
        with self._lock:
            return self._known(unfinished, within=GOOD_SECONDS) or self._begun_after(asked) or self._look()

    def close(self) -> None:
        """Nothing is looked for any more."""
        self._behind.shutdown()

    def _known(self, jobs: Collection[UUID], *, within: float) -> Queues | None:
        """The last look, where it is not older and knows the jobs."""
        look = self._looked
        if look is None or self._clock() - look.ended >= within:
            return None
        return look.queues if all(map(look.queues.knows, jobs)) else None

    def _begun_after(self, asked: float) -> Queues | None:
        """The last look, where it was begun after that: of a job that it does not know a further one would know no more. So it is with one that
        ends meanwhile, and with a training that still runs of a search that has failed.
        """
        look = self._looked
        return look.queues if look is not None and look.begun > asked else None

    def _look(self) -> Queues:
        begun = self._clock()
        with transaction(self._sessions) as session:
            queues = waiting.look(session, live_within=self._live_within)
        self._looked = _Look(begun, self._clock(), queues)
        return queues

    def _look_behind(self) -> None:
        """Holds the lock, which who asked has taken."""
        try:
            self._look()
        except SQLAlchemyError as error:
            logger.warning("What jobs wait for could not be looked at, and is by whoever asks next: %s", error)
        finally:
            self._lock.release()
