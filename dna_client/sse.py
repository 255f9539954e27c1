"""Server-sent events: the lines of a stream as events (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerEvent:
    """``id`` is what ``Last-Event-ID`` asks to continue after; empty when the event carries none.

    A comment, which keeps the stream alive, is an event ``comment`` without an id.
    """

    id: str
    event: str
    data: str


def parse_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Events as their closing blank line arrives; an event that is cut off is never delivered."""
    event_id, event, data = "", "message", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "" if line:
                yield ServerEvent("", "comment", value)
            case "":
                if data:
                    yield ServerEvent(event_id, event, "\n".join(data))
                event_id, event, data = "", "message", []
            case "id":
                event_id = value
            case "event":
                event = value
            case "data":
                data.append(value)
