"""What is new in the jobs that somebody follows: one look at the database tells everybody who listens.

Each process looks again and again, however many streams it serves, and keeps the latest events of followed jobs in
memory. A listener that is further behind reads on by itself. All of it runs on the event loop but the looks themselves.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.admission import Admission
from api.jobs.events import said
from api.settings import ApiSettings
from store import events, jobs, waiting
from store.jobs import End
from store.session import Sessions, transaction
from store.tables import Event

#: Events that are read at once.
BATCH = 500

#: Events of a job that stay in memory, for listeners that are a little behind.
_KEPT = 200

#: While jobs are followed, it is looked this often what they wait for, and whether the keys of who follows them still open anything.
_WAITS_SECONDS = 2.0

#: When news went to so many listeners, other requests are answered for a moment before it goes on.
_AT_ONCE = 50
_BREATH_SECONDS = 0.01

logger = logging.getLogger("dna.api.feed")


@dataclass(frozen=True)
class Line:
    """An event as it goes over the wire."""

    seq: int
    text: bytes

    @classmethod
    def of(cls, event: Event) -> Line:
        """The event, with its time in its data."""
        data = json.dumps(said(event))
        return cls(event.seq, format_sse_event(id=str(event.seq), event=event.type.value, data_str=data))


@dataclass
class Followed:
    """A job that somebody follows.

    Attributes:
        seq: number of the last event that was seen; None before the first look.
        lines: the events up to that one, without a gap, as many as are kept.
        last: number of the last event of all, where the job is finished.
        gone: it was deleted, or the process is about to end: nothing more is said of it here.
        waits_for: what it waits for at this moment.
        changed: set when any of this changes, and replaced.
    """

    listeners: int = 0
    seq: int | None = None
    lines: list[Line] = field(default_factory=list)
    last: int | None = None
    gone: bool = False
    waits_for: str | None = None
    changed: anyio.Event = field(default_factory=anyio.Event)

    def since(self, after: int) -> list[Line] | None:
        """Events behind number ``after``; None where they are not in memory any more."""
        if self.seq is None or after >= self.seq:
            return []
        if not self.lines or after < self.lines[0].seq - 1:
            return None
        return [line for line in self.lines if line.seq > after]

    def is_over(self, after: int) -> bool:
        """Whether nothing follows event number ``after``. A listener that has read on by itself may be ahead of the looks."""
        return self.gone or after == self.last

    def take(self, news: News) -> None:
        """Takes in what a look has found, and wakes the listeners where it is something new."""
        before = (self.seq, self.last, self.gone, self.waits_for)
        self.seq, self.gone = news.seq, self.gone or news.gone
        self.last = news.seq if news.finished else None
        self.lines = [*self.lines, *news.lines][-_KEPT:]
        if news.waits is not None:
            self.waits_for = news.waits or None
        if (self.seq, self.last, self.gone, self.waits_for) != before:
            self.wake()

    def end(self) -> None:
        """Nothing more is said of it."""
        self.gone = True
        self.wake()

    def wake(self) -> None:
        """Has the listeners look again."""
        self.changed.set()
        self.changed = anyio.Event()


@dataclass(frozen=True)
class News:
    """What a look found of one job: events up to number ``seq``. ``waits`` is empty where it waits for nothing, and None where
    that was not looked for.
    """

    seq: int
    lines: list[Line]
    finished: bool = False
    gone: bool = False
    waits: str | None = None


class Feed:
    """The jobs that are followed in this process."""

    def __init__(self, sessions: Sessions, settings: ApiSettings) -> None:
        self._sessions = sessions
        self._settings = settings
        self._followed: dict[UUID, Followed] = {}
        self._thread = CapacityLimiter(1)
        self._waits_due = -math.inf
        self._wanted = anyio.Event()
        self._ended = False
        self.admission = Admission(sessions)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks for news while the block runs."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run)
            yield
            tasks.cancel_scope.cancel()

    @contextmanager
    def follow(self, job_id: UUID, key_id: UUID | None = None) -> Iterator[Followed]:
        """News of a job, as long as the block runs, for who was let in by that key; None without one."""
        followed = self._followed.setdefault(job_id, Followed(gone=self._ended))
        followed.listeners += 1
        self._waits_due = -math.inf
        self._wanted.set()
        try:
            with self.admission.let_in(key_id):
                yield followed
        finally:
            followed.listeners -= 1
            if not followed.listeners:
                del self._followed[job_id]

    def end(self) -> None:
        """All streams end, between two events, and those that begin from now on: the process is about to. Readers go on at another, or
        at the next."""
        self._ended = True
        for followed in self._followed.values():
            followed.end()

    def heard(self, job_id: UUID) -> int | None:
        """Number of the last event that a look has found of a job; None where nobody follows it."""
        followed = self._followed.get(job_id)
        return followed.seq if followed else None

    async def _run(self) -> None:
        failing = False
        while True:
            if not self._followed:
                self._wanted = anyio.Event()
                await self._wanted.wait()
            try:
                await self._look_once()
                failing = False
            except Exception as error:  # Whatever it is, it would end all streams and with them the application.
                if not failing:
                    trace = not isinstance(error, SQLAlchemyError)
                    logger.warning(
                        "Events cannot be read just now; streams go on when they can: %s", error, exc_info=trace
                    )
                failing = True
            await anyio.sleep(self._settings.events_poll_seconds)

    async def _look_once(self) -> None:
        waits = time.monotonic() >= self._waits_due
        if waits:
            self._waits_due = time.monotonic() + _WAITS_SECONDS
        seen = {job_id: followed.seq for job_id, followed in self._followed.items()}
        found = await to_thread.run_sync(self._look, seen, waits, limiter=self._thread)
        woken = 0
        for job_id, news in found.items():
            # Who came and left meanwhile may have left another, to whom this look does not apply.
            if (followed := self._followed.get(job_id)) and followed.seq == seen[job_id]:
                followed.take(news)
                if (woken := woken + followed.listeners) >= _AT_ONCE:
                    woken = 0
                    await anyio.sleep(_BREATH_SECONDS)
        if waits and await self.admission.look():
            for followed in self._followed.values():
                followed.wake()

    def _look(self, seen: Mapping[UUID, int | None], waits: bool) -> dict[UUID, News]:
        with transaction(self._sessions) as session:
            # The ends first: when one is final, its event is among those read after it.
            ends = jobs.ends(session, list(seen))
            found = {job_id: _news(session, job_id, seq, ends.get(job_id)) for job_id, seq in seen.items()}
            if waits:
                queues = waiting.look(session, live_within=self._settings.worker_timeout)
                found = {key: replace(news, waits=queues.reason(key) or "") for key, news in found.items()}
        return found


def _news(session: Session, job_id: UUID, seen: int | None, end: End | None) -> News:
    """What follows event number ``seen``; at the first look nothing but the number itself."""
    if end is None:
        return News(seen or 0, [], gone=True)
    if seen is None or seen >= end.seq:
        return News(end.seq, [], finished=end.finished)
    lines = [Line.of(event) for event in events.after(session, job_id, seen, limit=BATCH)]
    if len(lines) == BATCH:
        return News(lines[-1].seq, lines)
    return News(max(end.seq, *(line.seq for line in lines), seen), lines, finished=end.finished)
