"""Events of a search as a stream (server-sent events): numbered, so that a reader continues after the last it saw.

The events are rows, written in the transaction of what they tell of. A stream reads what follows its number, again and
again, and needs neither a broker nor memory of who listens.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import anyio
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.orm import Session

from api.resources import Resources
from store import events, searches, waiting
from store.errors import NotFound
from store.session import transaction
from store.states import FINISHED
from store.tables import Event

_BATCH = 500

#: While nothing happens, a stream looks this often what its search waits for.
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Batch:
    """Events in order; ``last`` when the search is finished and nothing follows them."""

    events: list[Event]
    last: bool


def read(session: Session, search_id: UUID, after: int) -> Batch:
    """What follows event number ``after``.

    Raises:
        NotFound: there is no such search.
    """
    # The state first: when it is final, its event is among those read after it.
    finished = searches.state(session, search_id) in FINISHED
    found = events.after(session, search_id, after, limit=_BATCH)
    return Batch(found, finished and len(found) < _BATCH)


async def stream(resources: Resources, search_id: UUID, after: int, first: Batch) -> AsyncIterator[bytes]:
    """Events from ``first`` on, as they come, until the search is finished or deleted.

    Between them, what the search waits for, whenever that changes: as a comment, for it is true at this moment only.
    """
    batch, spoke_at = first, time.monotonic()
    looked_at, waits = -math.inf, None
    while True:
        for event in batch.events:
            yield encode(event)
            after, spoke_at = event.seq, time.monotonic()
        if batch.last:
            return
        if not batch.events:
            if time.monotonic() - looked_at > _LOOK_SECONDS:
                before, looked_at = waits, time.monotonic()
                waits = await run_in_threadpool(_waits_for, resources, search_id)
                if waits is not None and waits != before:
                    yield f": waiting for {waits}\n\n".encode()
            if time.monotonic() - spoke_at > resources.settings.events_ping_seconds:
                yield KEEPALIVE_COMMENT
                spoke_at = time.monotonic()
            await anyio.sleep(resources.settings.events_poll_seconds)
        try:
            batch = await run_in_threadpool(_read_alone, resources, search_id, after)
        except NotFound:
            return


def _read_alone(resources: Resources, search_id: UUID, after: int) -> Batch:
    with transaction(resources.sessions) as session:
        return read(session, search_id, after)


def _waits_for(resources: Resources, search_id: UUID) -> str | None:
    with transaction(resources.sessions) as session:
        return waiting.look(session, live_within=resources.settings.worker_timeout).reason(search_id)


def encode(event: Event) -> bytes:
    """The event on the wire; its ``time`` is added to its data."""
    data = {**event.data, "time": event.created_at.isoformat().replace("+00:00", "Z")}
    return format_sse_event(id=str(event.seq), event=event.type.value, data_str=json.dumps(data))
