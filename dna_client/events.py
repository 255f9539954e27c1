"""The events of a job as they happen. A broken connection is taken up again after the last event, without a gap."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from dna_client.errors import ApiError
from dna_client.models import FINISHED, Event
from dna_client.sse import parse_events
from dna_client.transport import Transport

#: How a comment begins that tells what a job waits for.
_WAITING = "waiting for "


def follow(
    transport: Transport, path: str, after: int, *, waits: bool = False, over: frozenset[str] = FINISHED
) -> Iterator[Event]:
    """Events that follow number ``after``, until the job has finished and all of them were given.

    Args:
        path: of the job, such as ``/searches/ID``.
        over: states in which what lies at the path stays; the states of jobs among them or not.
        waits: also events of type ``waiting``, see :class:`dna_client.models.Event`.

    Raises:
        ApiError: the server refused, for one because there is no such job.
        ServerUnreachable: the connection broke again and again without bringing anything new.
    """
    patience = transport.patience()
    state: str | None = None
    while True:
        news = False
        try:
            for event in _connection(transport, path, after):
                patience.renew()
                if event["type"] == "waiting":
                    if waits:
                        yield event
                    continue
                after, news = event["seq"], True
                if event["type"] == "state":
                    state = event["data"]["state"]
                yield event
            if not news:
                state = transport.call("GET", path)["state"]
            if state in over | FINISHED:
                return
            patience.wait(httpx.ReadError("the stream of events ends while the job goes on"))
        except (httpx.TransportError, ApiError) as error:
            patience.wait(error)


def _connection(transport: Transport, path: str, after: int) -> Iterator[Event]:
    headers = {"accept": "text/event-stream", "cache-control": "no-store"}
    if after:
        headers["last-event-id"] = str(after)
    with transport.stream(f"{path}/events", headers, {}) as response:
        for event in parse_events(response.iter_lines()):
            if event.id:
                after = int(event.id)
                yield Event(seq=after, type=event.event, data=transport.read(event.data))
            elif event.event == "comment" and event.data.startswith(_WAITING):
                yield Event(seq=after, type="waiting", data={"waiting_for": event.data.removeprefix(_WAITING)})
