"""Events of a search, numbered without a gap in the order of their commits, and the points of its series.

The number is taken under the lock of the search's row, which is held until the commit: whoever has read event n has
seen every event before it, so a reader goes on from the last number it saw and misses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.columns import Json
from store.errors import NotFound
from store.states import EventType
from store.tables import Event, Metric, Search


@dataclass(frozen=True)
class NewEvent:
    type: EventType
    data: Json


def append(session: Session, search_id: UUID, events: Sequence[NewEvent]) -> int:
    """Adds events in this order; returns the number of the last. The search stays locked until the commit.

    Raises:
        NotFound: there is no such search.
    """
    last = session.scalar(
        update(Search)
        .where(Search.id == search_id)
        .values(event_seq=Search.event_seq + len(events))
        .returning(Search.event_seq)
        .execution_options(synchronize_session=False)
    )
    if last is None:
        raise NotFound("search", search_id)
    first = last - len(events) + 1
    session.add_all(
        Event(search_id=search_id, seq=seq, type=event.type, data=event.data)
        for seq, event in enumerate(events, start=first)
    )
    session.flush()
    return last


def after(session: Session, search_id: UUID, seq: int, *, limit: int = 500) -> list[Event]:
    """Events that follow number ``seq`` (0 for all), in order."""
    query = select(Event).where(Event.search_id == search_id, Event.seq > seq).order_by(Event.seq).limit(limit)
    return list(session.scalars(query))


@dataclass(frozen=True)
class Point:
    """One point of a series."""

    series: str
    x: float
    y: float


def add_points(session: Session, search_id: UUID, points: Sequence[Point]) -> None:
    """Stores points; a point that exists, as after a resume, gets the new ``y``."""
    if not points:
        return
    latest = {(point.series, point.x): point.y for point in points}
    rows = [{"search_id": search_id, "series": series, "x": x, "y": y} for (series, x), y in latest.items()]
    statement = insert(Metric)
    # Row by row: a statement takes 65,535 values, and a database that was away for long is told of more.
    session.execute(
        statement.on_conflict_do_update(index_elements=["search_id", "series", "x"], set_={"y": statement.excluded.y}),
        rows,
    )


def series(session: Session, search_id: UUID, *, prefix: str = "") -> dict[str, list[Point]]:
    """Points by series, each in order of ``x``; only series whose names start with ``prefix``."""
    query = (
        select(Metric)
        .where(Metric.search_id == search_id, Metric.series.startswith(prefix, autoescape=True))
        .order_by(Metric.series, Metric.x)
    )
    found: dict[str, list[Point]] = {}
    for metric in session.scalars(query):
        found.setdefault(metric.series, []).append(Point(metric.series, metric.x, metric.y))
    return found
