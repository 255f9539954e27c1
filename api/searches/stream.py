"""Events of a search as a stream (server-sent events): numbered, so that a reader continues after the last it saw.

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

from api.resources import Resources
from api.searches.feed import BATCH, Followed, Line
from store import events, searches
from store.errors import NotFound
from store.session import transaction


@dataclass(frozen=True)
class Batch:
    """Events in order, and the number of the one they follow; ``last`` when the search is finished and nothing follows them."""

    after: int
    lines: list[Line]
    last: bool


def read(session: Session, search_id: UUID, after: int) -> Batch:
    """What follows event number ``after``, or the last there is.

    Raises:
        NotFound: there is no such search.
    """
    # The end first: when it is final, its event is among those read after it.
    end = searches.ends(session, [search_id]).get(search_id)
    if end is None:
        raise NotFound("search", search_id)
    after = min(after, end.seq)
    lines = [Line.of(event) for event in events.after(session, search_id, after, limit=BATCH)]
    return Batch(after, lines, end.finished and len(lines) < BATCH)


async def stream(resources: Resources, search_id: UUID, first: Batch) -> AsyncIterator[bytes]:
    """Events from ``first`` on, as they come, until the search is finished or deleted.

    Between them, what the search waits for, whenever that changes: as a comment, for it is true at this moment only.
    """
    after = first.after
    for line in first.lines:
        yield line.text
        after = line.seq
    if first.last:
        return
    with resources.feed.follow(search_id) as followed:
        waits: str | None = None
        while not followed.is_over(after):
            changed, lines = followed.changed, await _lines(resources, search_id, followed, after)
            for line in lines:
                yield line.text
                after = line.seq
            if lines:
                continue
            if followed.waits_for not in (None, waits):
                yield f": waiting for {followed.waits_for}\n\n".encode()
            waits = followed.waits_for
            with anyio.move_on_after(resources.settings.events_ping_seconds) as silence:
                await changed.wait()
            if silence.cancelled_caught:
                yield KEEPALIVE_COMMENT


async def _lines(resources: Resources, search_id: UUID, followed: Followed, after: int) -> list[Line]:
    """What follows: from memory, or read where it is not kept there any more."""
    lines = followed.since(after)
    return lines if lines is not None else await run_in_threadpool(_read_alone, resources, search_id, after)


def _read_alone(resources: Resources, search_id: UUID, after: int) -> list[Line]:
    with transaction(resources.sessions) as session:
        return [Line.of(event) for event in events.after(session, search_id, after, limit=BATCH)]
