"""What changes in all jobs, looked at once for everybody who listens in this process.

While anybody listens it is looked every ``changes_seconds``: what was written down since, see ``store.changes``, and how far the jobs are
that run. A listener who is slow finds of each job what is latest, and one that would have too much to read is told to begin anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from api.admission import Admission
from api.changes.schemas import ChangeData, ChangeKind, ChangeState
from api.settings import ApiSettings
from store import changes
from store.changes import JobNow
from store.session import Sessions, transaction
from store.states import JobState
from store.tables import JobChange

#: Changes that wait for a listener; who has more of them begins anew.
_MOST = 10_000

#: It is looked this often whether the keys of who listens still open anything.
_KEYS_SECONDS = 2.0

#: When news went to so many listeners, other requests are answered for a moment before it goes on.
_AT_ONCE = 50
_BREATH_SECONDS = 0.01

#: After so long without a look lines may be gone that nobody has read.
_STALE_SECONDS = changes.KEPT.total_seconds() / 2

logger = logging.getLogger("dna.api.changes")


@dataclass(frozen=True)
class Audience:
    """What a listener hears of: one project, or every one, and some kinds."""

    project_id: UUID | None
    kinds: frozenset[ChangeKind]

    def hears(self, change: Change) -> bool:
        """Whether it is one of those."""
        return change.kind in self.kinds and self.project_id in (None, change.project_id)


@dataclass(frozen=True)
class Change:
    """Of a job, as it goes over the wire."""

    kind: ChangeKind
    id: UUID
    project_id: UUID
    text: bytes

    @classmethod
    def of(cls, job: JobNow) -> Change:
        """How the job is."""
        kind = ChangeKind.of(job.kind)
        data = ChangeData(
            kind=kind,
            id=job.id,
            state=ChangeState(job.state.value),
            phase=job.phase,
            progress=job.progress,
            eta_seconds=job.eta_seconds,
        )
        return cls(kind, job.id, job.project_id, _event(data))

    @classmethod
    def gone(cls, note: JobChange) -> Change:
        """That there is no such job any more."""
        kind = ChangeKind.of(note.kind)
        data = ChangeData(
            kind=kind, id=note.job_id, state=ChangeState.DELETED, phase=None, progress=None, eta_seconds=None
        )
        return cls(kind, note.job_id, note.project_id, _event(data))


def _event(data: ChangeData) -> bytes:
    return format_sse_event(event="change", data_str=data.model_dump_json())


@dataclass
class Listener:
    """Somebody who listens.

    Attributes:
        anew: what was known before may be old, which is to be said before anything else.
        waiting: what is to be said, by job.
        over: nothing more is said here.
        changed: set when any of this changes, and replaced.
    """

    audience: Audience
    anew: bool = False
    waiting: dict[UUID, Change] = field(default_factory=dict)
    over: bool = False
    changed: anyio.Event = field(default_factory=anyio.Event)

    def begin(self) -> None:
        """All that is known is to be read again."""
        self.anew = True
        self.waiting.clear()
        self.wake()

    def tell(self, news: Mapping[UUID, Change]) -> None:
        """Of each job the latest counts."""
        self.waiting |= news
        if len(self.waiting) > _MOST:
            self.begin()
        self.wake()

    def take(self) -> tuple[bool, list[Change]]:
        """Whether it is to begin anew, and what is to be said then; both are said by that."""
        anew, waiting = self.anew, list(self.waiting.values())
        self.anew, self.waiting = False, {}
        return anew, waiting

    def end(self) -> None:
        """Nothing more is said."""
        self.over = True
        self.wake()

    def wake(self) -> None:
        """Has the listener look again."""
        self.changed.set()
        self.changed = anyio.Event()


@dataclass(frozen=True)
class Mark:
    """How far it was looked: transactions below ``horizon`` are all read, ``seen`` are the lines read of later ones; ``running`` are the jobs
    that ran, as they were told of."""

    horizon: int
    seen: frozenset[UUID]
    running: Mapping[UUID, JobNow]


class Watch:
    """Those who listen in this process, and what they are told."""

    def __init__(self, sessions: Sessions, settings: ApiSettings) -> None:
        self._sessions = sessions
        self._every = settings.changes_seconds
        self._listeners: dict[int, Listener] = {}
        self._thread = CapacityLimiter(1)
        self._mark: Mark | None = None
        self._looked = self._keys_due = 0.0
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
    def listen(self, audience: Audience, key_id: UUID | None) -> Iterator[Listener]:
        """What changes as long as the block runs, for who was let in by that key; None without one. It begins once there is a mark, from which
        on nothing is missed."""
        listener = Listener(audience, anew=self._mark is not None, over=self._ended)
        self._listeners[id(listener)] = listener
        self._wanted.set()
        try:
            with self.admission.let_in(key_id):
                yield listener
        finally:
            del self._listeners[id(listener)]

    def end(self) -> None:
        """All streams end, and those that begin from now on: the process is about to."""
        self._ended = True
        for listener in self._listeners.values():
            listener.end()

    async def _run(self) -> None:
        failing = False
        while True:
            if not self._listeners:
                self._mark, self._wanted = None, anyio.Event()
                await self._wanted.wait()
            try:
                await self._look_once()
                failing = False
            except Exception as error:  # Whatever it is, it would end all streams and with them the application.
                if not failing:
                    trace = not isinstance(error, SQLAlchemyError)
                    logger.warning("Changes cannot be read just now: %s", error, exc_info=trace)
                failing = True
            await anyio.sleep(self._every)

    async def _look_once(self) -> None:
        if time.monotonic() - self._looked > _STALE_SECONDS:
            self._mark = None
        known = self._mark
        self._mark, news = await to_thread.run_sync(self._look, known, limiter=self._thread)
        self._looked = time.monotonic()
        if known is None:
            await self._begin()
        elif news:
            await self._tell(news)
        if time.monotonic() >= self._keys_due:
            self._keys_due = time.monotonic() + _KEYS_SECONDS
            if await self.admission.look():
                for listener in self._listeners.values():
                    listener.wake()

    async def _begin(self) -> None:
        for place, listener in enumerate(list(self._listeners.values()), start=1):
            listener.begin()
            if place % _AT_ONCE == 0:
                await anyio.sleep(_BREATH_SECONDS)

    async def _tell(self, news: Sequence[Change]) -> None:
        heard: dict[Audience, Mapping[UUID, Change]] = {}
        woken = 0
        for listener in list(self._listeners.values()):
            audience = listener.audience
            if audience not in heard:
                heard[audience] = {change.id: change for change in news if audience.hears(change)}
            if heard[audience]:
                listener.tell(heard[audience])
                if (woken := woken + 1) % _AT_ONCE == 0:
                    await anyio.sleep(_BREATH_SECONDS)

    def _look(self, known: Mark | None) -> tuple[Mark, list[Change]]:
        """What has changed since that mark, and the next one. The order of the statements matters: see ``store.changes``."""
        with transaction(self._sessions) as session:
            horizon = changes.horizon(session)
            lines = changes.since(session, horizon if known is None else known.horizon)
            fresh = {} if known is None else {line.job_id: line for line in lines if line.id not in known.seen}
            jobs = {job.id: job for job in changes.now(session, list(fresh))}
        told = {} if known is None else known.running
        news = [Change.of(job) for job in jobs.values() if job.id in fresh or told.get(job.id) != job]
        news += [Change.gone(line) for job_id, line in fresh.items() if job_id not in jobs]
        running = {job.id: job for job in jobs.values() if job.state == JobState.RUNNING}
        return Mark(horizon, frozenset(line.id for line in lines), running), news
