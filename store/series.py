"""Series of a job as they are shown: thinned in the database, so that neither it sends nor anybody holds more than that."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from store.filters import Span
from store.tables import Metric

#: Points of all series together.
MAX_POINTS = 100_000

_FEWEST = 10

_EVERYWHERE = Span()


@dataclass(frozen=True)
class Extent:
    """How many points a series has, and from which ``x`` to which."""

    name: str
    points: int
    first: float
    last: float


def extents(session: Session, job_id: UUID, *, prefix: str, after: str, limit: int) -> list[Extent]:
    """The series of a job behind that name, in the order of their names; only those whose names start with ``prefix``."""
    name = Metric.series.collate("C")
    query = (
        select(Metric.series, func.count(), func.min(Metric.x), func.max(Metric.x))
        .where(Metric.job_id == job_id, Metric.series.startswith(prefix, autoescape=True), name > after)
        .group_by(Metric.series)
        .order_by(name)
    )
    return [Extent(*row) for row in session.execute(query.limit(limit))]


def names(session: Session, job_id: UUID) -> list[str]:
    """Of all series of a job."""
    return list(session.scalars(select(Metric.series).distinct().where(Metric.job_id == job_id)))


def stretch(session: Session, job_id: UUID, name: str, x: Span, *, after: float | None, limit: int) -> list[Metric]:
    """Points of a series within the span, behind ``after``, in order of ``x``."""
    query = select(Metric).where(Metric.job_id == job_id, Metric.series == name, *x.of(Metric.x))
    if after is not None:
        query = query.where(Metric.x > after)
    return list(session.scalars(query.order_by(Metric.x).limit(limit)))


def thinned(
    session: Session, job_id: UUID, *, points: int, prefix: str = "", x: Span = _EVERYWHERE
) -> dict[str, list[tuple[float, float]]]:
    """Points ``(x, y)`` within the span by series, each in order of ``x``; only series whose names start with ``prefix``.

    A series of more than ``points`` keeps its first and its last one, and of as many stretches of equal numbers of points as fit
    the lowest and the highest each, the first where several are. With many series it is fewer, see :data:`MAX_POINTS`.
    """
    wanted = (Metric.job_id == job_id, Metric.series.startswith(prefix, autoescape=True), *x.of(Metric.x))
    count = session.scalar(select(func.count(Metric.series.distinct())).where(*wanted)) or 0
    points = max(_FEWEST, min(points, MAX_POINTS // max(count, 1)))
    placed = (
        select(
            Metric.series,
            Metric.x,
            Metric.y,
            (func.row_number().over(partition_by=Metric.series, order_by=Metric.x) - 1).label("place"),
            func.count().over(partition_by=Metric.series).label("of"),
        )
        .where(*wanted)
        .subquery()
    )
    stretch = (placed.c.series, placed.c.place * ((points - 2) // 2) // placed.c.of)
    lowest = func.row_number().over(partition_by=stretch, order_by=(placed.c.y, placed.c.x))
    highest = func.row_number().over(partition_by=stretch, order_by=(placed.c.y.desc(), placed.c.x))
    ranked = select(placed, lowest.label("lowest"), highest.label("highest")).subquery().c
    kept = or_(
        ranked.of <= points, ranked.lowest == 1, ranked.highest == 1, ranked.place == 0, ranked.place == ranked.of - 1
    )
    query = select(ranked.series, ranked.x, ranked.y).where(kept).order_by(ranked.series, ranked.x)
    found: dict[str, list[tuple[float, float]]] = {}
    for name, at, y in session.execute(query):
        found.setdefault(name, []).append((at, y))
    return found
