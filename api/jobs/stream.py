"""Events of a job as a stream (server-sent events): numbered, so that a reader continues after the last it saw.

The events are rows, written in the transaction of what they tell of. A stream begins with what it reads there, and goes on
with what the feed of this process sees: no broker is needed, and no more queries for many listeners than for one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import anyio
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import KEEPALIVE_COMMENT
from sqlalchemy.orm import Session

from api.jobs.feed import BATCH, Followed, Line
from api.resources import Resources
from store import events, jobs
from store.errors import NotFound
from store.session import transaction

#: What a reader is told to wait before it connects again, in milliseconds. It is said with the first event, since some readers take a
#: block of its own for an event without data.
_RETRY = b"retry: 2000\n"


@dataclass(frozen=True)
class Batch:
    """Events in order, and the number of the one they follow; ``last`` when the job is finished and nothing follows them."""

    after: int
    lines: list[Line]
    last: bool


def read(session: Session, job_id: UUID, after: int) -> Batch:
    """What follows event number ``after``, or the last there is.

    Raises:
        NotFound: there is no such job.
    """
    # The end first: when it is final, its event is among those read after it.
    end = jobs.ends(session, [job_id]).get(job_id)
    if end is None:
        raise NotFound("job", job_id)
    after = min(after, end.seq)
    lines = [Line.of(event) for event in events.after(session, job_id, after, limit=BATCH)]
    return Batch(after, lines, end.finished and len(lines) < BATCH)


async def stream(resources: Resources, job_id: UUID, first: Batch, key_id: UUID | None = None) -> AsyncIterator[bytes]:
    """Events from ``first`` on, as they come, until the job is finished or deleted, or the key of who follows it opens nothing any more.

    Between them, what the job waits for, whenever that changes: as a comment, for it is true at this moment only.
    """
    after, retry = first.after, _RETRY
    if first.lines:
        yield retry + _together(first.lines)
        after, retry = first.lines[-1].seq, b""
    if first.last:
        return
    with resources.feed.follow(job_id, key_id) as followed:
        waits: str | None = None
        while not followed.is_over(after) and resources.feed.admission.admits(key_id):
            changed, lines = followed.changed, await _lines(resources, job_id, followed, after)
            if lines:
                yield retry + _together(lines)
                after, retry = lines[-1].seq, b""
                continue
            if followed.waits_for not in (None, waits):
                yield f": waiting for {followed.waits_for}\n\n".encode()
            waits = followed.waits_for
            with anyio.move_on_after(resources.settings.events_ping_seconds) as silence:
                await changed.wait()
            if silence.cancelled_caught:
                yield KEEPALIVE_COMMENT


def _together(lines: list[Line]) -> bytes:
    """One piece: a client that has left is seen to have left between two of them."""
    return b"".join(line.text for line in lines)


async def _lines(resources: Resources, job_id: UUID, followed: Followed, after: int) -> list[Line]:
    """What follows: from memory, or read where it is not kept there any more."""
    lines = followed.since(after)
    return lines if lines is not None else await run_in_threadpool(_read_alone, resources, job_id, after)


def _read_alone(resources: Resources, job_id: UUID, after: int) -> list[Line]:
    # Who follows was let in when the stream began.
    with transaction(resources.whole) as session:
        return [Line.of(event) for event in events.after(session, job_id, after, limit=BATCH)]
