"""The changes of all jobs as a stream (server-sent events) of what is latest: a reader that connects anew begins with the present."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import anyio
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from api.changes.schemas import HelloData
from api.changes.watch import Audience
from api.resources import Resources

#: What a reader is told to wait before it connects again, in milliseconds.
_RETRY = 2000


async def stream(resources: Resources, audience: Audience, key_id: UUID | None) -> AsyncIterator[bytes]:
    """A greeting, then what changes, until the key of who listens opens nothing any more, or the process ends."""
    watch, ping = resources.watch, resources.settings.events_ping_seconds
    hello = format_sse_event(event="hello", data_str=HelloData(ping_seconds=ping).model_dump_json(), retry=_RETRY)
    with watch.listen(audience, key_id) as listener:
        while not listener.over and watch.admission.admits(key_id):
            changed = listener.changed
            anew, news = listener.take()
            if anew or news:
                # One piece: a client that has left is seen to have left between two of them.
                yield (hello if anew else b"") + b"".join(change.text for change in news)
                continue
            with anyio.move_on_after(ping) as silence:
                await changed.wait()
            if silence.cancelled_caught:
                yield KEEPALIVE_COMMENT
