"""Series of a job as they are shown: thinned by their runs (``store.runs``), so that of a long one few rows are read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, func, not_, select
from sqlalchemy.orm import Session

from store.filters import Span
from store.runs import XY
from store.tables import Metric, MetricRun

#: Points of all series together.
MAX_POINTS = 100_000

_FEWEST = 10

#: All of a series.
_EVERYWHERE = Span()

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Extent:
    """How many points a series has, and from which ``x`` to which."""

    name: str
    points: int
    first: float
    last: float


def extents(session: Session, job_id: UUID, *, prefix: str, after: str, limit: int) -> list[Extent]:
    """The series of a job behind that name, in the order of their names; only those whose names start with ``prefix``."""
    name = MetricRun.series.collate("C")
    query = (
        select(
            MetricRun.series,
            cast(func.sum(MetricRun.points), BigInteger),
            func.min(MetricRun.start),
            func.max(MetricRun.last),
        )
        .where(*_of(job_id, prefix), name > after)
        .group_by(MetricRun.series)
        .order_by(name)
    )
    return [Extent(*row) for row in session.execute(query.limit(limit))]


def names(session: Session, job_id: UUID) -> list[str]:
    """Of all series of a job."""
    return list(session.scalars(select(MetricRun.series).distinct().where(MetricRun.job_id == job_id)))


def stretch(session: Session, job_id: UUID, name: str, x: Span, *, after: float | None, limit: int) -> list[Metric]:
    """Points of a series within the span, behind ``after``, in order of ``x``."""
    query = select(Metric).where(Metric.job_id == job_id, Metric.series == name, *x.of(Metric.x))
    if after is not None:
        query = query.where(Metric.x > after)
    return list(session.scalars(query.order_by(Metric.x).limit(limit)))


def thinned(
    session: Session, job_id: UUID, *, points: int, prefix: str = "", x: Span = _EVERYWHERE
) -> dict[str, list[XY]]:
    """Points ``(x, y)`` within the span by series, each in order of ``x``; only series whose names start with ``prefix``.

    A series of more than ``points`` keeps its first and its last one, and of as many stretches of about equal numbers of points as fit
    the lowest and the highest each, the first where several are; a stretch of a long series consists of whole runs (``store.runs``), so
    that its points need not be read, and there are at least half as many points as fit. With many series it is fewer, see
    :data:`MAX_POINTS`.
    """
    of_job = _runs(session, job_id, prefix, x)
    most = max(_FEWEST, min(points, MAX_POINTS // max(len(of_job), 1)))
    found = {name: _thin(runs, most) for name, runs in of_job.items() if _suffice(runs, most)}
    whole = {
        name: _Runs.of_points(some) for name, some in _points(session, job_id, of_job.keys() - found.keys(), x).items()
    }
    found |= {name: _thin(each, most) if each.total > most else each.lowest() for name, each in whole.items()}
    return {name: found[name] for name in of_job if name in found}


@dataclass(frozen=True)
class _Runs:
    """Runs of a series in order of ``x``; ``rows`` has those columns of :data:`_COLUMNS`. A point is a run of one."""

    rows: Floats

    @classmethod
    def of_points(cls, points: Floats) -> _Runs:
        """Of points of shape ``(points, 2)``."""
        return cls(np.column_stack([np.tile(points, 4), np.ones(len(points))]))

    @property
    def total(self) -> int:
        """Points of all of them."""
        return int(self.rows[:, 8].sum())

    def lowest(self) -> list[XY]:
        """The lowest point of each."""
        return _pairs(self.rows[:, 4:6])


_COLUMNS = ("start", "start_y", "last", "last_y", "low_x", "low_y", "high_x", "high_y", "points")


def _suffice(runs: _Runs, most: int) -> bool:
    """Whether runs alone show half as many points as may be shown."""
    return runs.total > most and 2 * len(runs.rows) + 2 >= most / 2


def _thin(runs: _Runs, most: int) -> list[XY]:
    """The ends, and the lowest and the highest point of each stretch."""
    rows, counts = runs.rows, runs.rows[:, 8]
    stretch = ((counts.cumsum() - counts) * ((most - 2) // 2) // runs.total).astype(np.int64)
    kept = [
        rows[:1, 0:2],
        rows[-1:, 2:4],
        _first_of_each(stretch, rows[:, 4:6], rows[:, 5]),
        _first_of_each(stretch, rows[:, 6:8], -rows[:, 7]),
    ]
    return _pairs(np.unique(np.concatenate(kept), axis=0))


def _first_of_each(stretch: NDArray[np.int64], points: Floats, by: Floats) -> Floats:
    """The point of each stretch that is least by a figure; of equal ones the first."""
    order = np.lexsort((points[:, 0], by, stretch))
    begins = np.flatnonzero(np.diff(stretch[order], prepend=-1))
    first: Floats = points[order[begins]]
    return first


def _pairs(points: Floats) -> list[XY]:
    return [(x, y) for x, y in points.tolist()]


def _of(job_id: UUID, prefix: str) -> tuple[ColumnElement[bool], ...]:
    return MetricRun.job_id == job_id, MetricRun.series.startswith(prefix, autoescape=True)


def _runs(session: Session, job_id: UUID, prefix: str, x: Span) -> dict[str, _Runs]:
    """By series, in the order of their names: the runs within the span, and what of those at its edges lies in it, point by point."""
    columns = [getattr(MetricRun, name) for name in _COLUMNS]
    query = select(MetricRun.series, *columns).where(*_of(job_id, prefix), *_within(x))
    rows: dict[str, list[Any]] = {}
    for name, *values in session.execute(query.order_by(MetricRun.series, MetricRun.start)):
        rows.setdefault(name, []).append(values)
    found = {name: np.array(values, dtype=np.float64) for name, values in rows.items()}
    if x != _EVERYWHERE:
        for name, points in _edges(session, job_id, prefix, x).items():
            both = np.concatenate([found.get(name, np.empty((0, len(_COLUMNS)))), _Runs.of_points(points).rows])
            found[name] = both[both[:, 0].argsort()]
    return {name: _Runs(found[name]) for name in sorted(found)}


def _within(x: Span) -> list[ColumnElement[bool]]:
    """The conditions that a run has no point outside of the span."""
    return [*Span(x.least).of(MetricRun.start), *Span(None, x.most).of(MetricRun.last)]


def _edges(session: Session, job_id: UUID, prefix: str, x: Span) -> dict[str, Floats]:
    """Points within the span, of runs that have some outside of it too: of a series two runs at most."""
    reaches_in = [*Span(x.least).of(MetricRun.last), *Span(None, x.most).of(MetricRun.start)]
    same = (Metric.job_id == MetricRun.job_id, Metric.series == MetricRun.series)
    own = (Metric.x >= MetricRun.start, Metric.x <= MetricRun.last, *x.of(Metric.x))
    query = (
        select(Metric.series, Metric.x, Metric.y)
        .join_from(MetricRun, Metric, and_(*same, *own))
        .where(*_of(job_id, prefix), *reaches_in, not_(and_(*_within(x))))
    )
    return _by_series(session, query.order_by(Metric.series, Metric.x))


def _points(session: Session, job_id: UUID, wanted: Collection[str], x: Span) -> dict[str, Floats]:
    """All points of some series within the span, by series."""
    if not wanted:
        return {}
    of = (Metric.job_id == job_id, Metric.series.in_(wanted), *x.of(Metric.x))
    return _by_series(session, select(Metric.series, Metric.x, Metric.y).where(*of).order_by(Metric.series, Metric.x))


def _by_series(session: Session, query: Select[str, float, float]) -> dict[str, Floats]:
    """Points by series, each of shape ``(points, 2)``."""
    rows: dict[str, list[XY]] = {}
    for name, x, y in session.execute(query):
        rows.setdefault(name, []).append((x, y))
    return {name: np.array(values, dtype=np.float64) for name, values in rows.items()}
