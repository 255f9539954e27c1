"""What jobs wait for, looked at once in a while for all who ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from store import waiting
from store.revisions import Revision
from store.session import Sessions, transaction
from store.waiting import Queues

#: For so long a look is good for all.
GOOD_SECONDS = 1.0

#: What matters to jobs that are finished.
NOTHING = Queues([], [], datetime.min.replace(tzinfo=UTC))


class Waits:
    """The queues as they were a moment ago. Safe to use from several threads."""

    def __init__(self, sessions: Sessions, live_within: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._live_within = live_within
        self._clock = clock
        self._looked: tuple[float, Queues] | None = None
        self._lock = threading.Lock()

    def of(self, jobs: Sequence[Revision]) -> Queues:
        """The queues, as far as they matter to these jobs. One that has come since the last look makes it be looked again."""
        unfinished = [job.id for job in jobs if not job.finished]
        if not unfinished:
            return NOTHING
        with self._lock:
            if self._looked is not None:
                at, queues = self._looked
                if self._clock() - at < GOOD_SECONDS and all(queues.knows(job_id) for job_id in unfinished):
                    return queues
            with transaction(self._sessions) as session:
                queues = waiting.look(session, live_within=self._live_within)
            self._looked = (self._clock(), queues)
            return queues
