"""Series of a job as they are shown: thinned in the database, so that neither it sends nor anybody holds more than that."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from store.tables import Metric

#: Points of all series together.
MAX_POINTS = 100_000

_FEWEST = 10


def thinned(session: Session, job_id: UUID, *, points: int, prefix: str = "") -> dict[str, list[tuple[float, float]]]:
    """Points ``(x, y)`` by series, each in order of ``x``; only series whose names start with ``prefix``.

    A series of more than ``points`` keeps its first and its last one, and of as many stretches of equal numbers of points as fit
    the lowest and the highest each, the first where several are. With many series it is fewer, see :data:`MAX_POINTS`.
    """
    wanted = (Metric.job_id == job_id, Metric.series.startswith(prefix, autoescape=True))
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
    for name, x, y in session.execute(query):
        found.setdefault(name, []).append((x, y))
    return found
