"""Events of a job, numbered without a gap in the order of their commits, and the points of its series.

The number is taken under the lock of the job's row, which is held until the commit: whoever has read event n has
seen every event before it, so a reader goes on from the last number it saw and misses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, bindparam, column, func, select
from sqlalchemy import insert as core_insert
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from store import runs
from store.columns import CheckedJson, Json, rows_of
from store.states import EventType
from store.tables import Event, Job, Metric


@dataclass(frozen=True)
class NewEvent:
    type: EventType
    data: Json


_ROWS = rows_of(Event)
_told = (
    func.jsonb_to_recordset(bindparam("told", type_=CheckedJson()))
    .table_valued(column("seq", BigInteger()), column("type", Text()), column("data", JSONB()), name="told")
    .render_derived(with_types=True)
)
#: Events of the job ``of_job``, ``told`` as :func:`rows` gives them: one statement however many there are, also within another.
INSERT = core_insert(_ROWS).from_select(
    ["job_id", "seq", "type", "data"],
    select(bindparam("of_job", type_=Uuid()), _told.c.seq, _told.c.type, _told.c.data),
)


def rows(events: Sequence[NewEvent], *, after: int) -> list[Json]:
    """Events of a job as they are written, numbered behind that one."""
    return [{"seq": seq, "type": event.type, "data": event.data} for seq, event in enumerate(events, start=after + 1)]


def append(session: Session, job: Job, events: Sequence[NewEvent]) -> int:
    """Adds events of a job that is locked, see ``store.jobs.lock``, in this order; returns the number of the last.

    Their numbers are written with whatever else of the job is not yet: one that moves is written once.
    """
    told = rows(events, after=job.event_seq)
    job.event_seq += len(events)
    session.flush()
    session.execute(INSERT, {"of_job": job.id, "told": told})
    return job.event_seq


def after(session: Session, job_id: UUID, seq: int, *, limit: int = 500) -> list[Event]:
    """Events that follow number ``seq`` (0 for all), in order."""
    query = select(Event).where(Event.job_id == job_id, Event.seq > seq).order_by(Event.seq).limit(limit)
    return list(session.scalars(query))


@dataclass(frozen=True)
class Wanted:
    """Events behind number ``after`` and, where it is given, before ``before``; of these types and of that step, where some are named."""

    after: int = 0
    before: int | None = None
    types: Collection[EventType] = ()
    step: str | None = None
    newest: bool = False
    """The last one first."""


def wanted(session: Session, job_id: UUID, asked: Wanted, *, limit: int) -> list[Event]:
    """The first of them."""
    query = select(Event).where(Event.job_id == job_id, Event.seq > asked.after)
    if asked.before is not None:
        query = query.where(Event.seq < asked.before)
    if asked.types:
        query = query.where(Event.type.in_(asked.types))
    if asked.step is not None:
        query = query.where(Event.data["step"].astext == asked.step)
    return list(session.scalars(query.order_by(Event.seq.desc() if asked.newest else Event.seq).limit(limit)))


@dataclass(frozen=True)
class Point:
    """One point of a series."""

    series: str
    x: float
    y: float


def add_points(session: Session, job_id: UUID, points: Sequence[Point]) -> None:
    """Stores points; a point that exists, as after a resume, gets the new ``y``."""
    if not points:
        return
    latest = {(point.series, point.x): point.y for point in points}
    rows = [{"job_id": job_id, "series": series, "x": x, "y": y} for (series, x), y in latest.items()]
    statement = insert(Metric)
    # Row by row: a statement takes 65,535 values, and a database that was away for long is told of more.
    session.execute(
        statement.on_conflict_do_update(index_elements=["job_id", "series", "x"], set_={"y": statement.excluded.y}),
        rows,
    )
    runs.follow(session, job_id, latest)


def series(session: Session, job_id: UUID, *, prefix: str = "") -> dict[str, list[Point]]:
    """Points by series, each in order of ``x``; only series whose names start with ``prefix``."""
    query = (
        select(Metric)
        .where(Metric.job_id == job_id, Metric.series.startswith(prefix, autoescape=True))
        .order_by(Metric.series, Metric.x)
    )
    found: dict[str, list[Point]] = {}
    for metric in session.scalars(query):
        found.setdefault(metric.series, []).append(Point(metric.series, metric.x, metric.y))
    return found
