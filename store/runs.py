"""Runs of a series: what some thirty points that follow one another come to, written with the points.

Whoever draws a series of half a million points wants a few hundred of them: the ends, and of each stretch the lowest and the highest. To find
those in the points takes a second, in the runs a few hundredths. Runs share a series out among them, in order of ``x``, each from its
first point to its last; they are written under the lock of the job, as points are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, delete, func, insert, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from store.tables import Metric, MetricRun

#: Points of a run; one that others are added in front of or between has half as many at least.
LENGTH = 32

#: ``(x, y)``.
XY = tuple[float, float]

_Row = dict[str, Any]


def follow(session: Session, job_id: UUID, points: Mapping[tuple[str, float], float]) -> None:
    """Brings the runs of a job up to points that were just stored, by series and ``x``."""
    by_series = {
        series: [(x, y) for (_, x), y in some]
        for series, some in groupby(sorted(points.items()), key=lambda point: point[0][0])
    }
    last = _last(session, job_id, list(by_series))
    grown: list[_Row] = []
    for series, some in by_series.items():
        run = last.get(series)
        if run is None or some[0][0] > run["last"]:
            grown += _grow(run, some, {"job_id": job_id, "series": series})
        else:
            _write_anew(session, job_id, series, some[0][0], some[-1][0])
    if grown:
        statement = upsert(MetricRun)
        changed = {name: statement.excluded[name] for name in _GROWING}
        session.execute(
            statement.on_conflict_do_update(index_elements=["job_id", "series", "start"], set_=changed), grown
        )


#: What may change of a run that points are added to at its end.
_GROWING = ("last", "last_y", "low_x", "low_y", "high_x", "high_y", "points")


def _last(session: Session, job_id: UUID, series: Sequence[str]) -> dict[str, _Row]:
    """The last run of each series that has one."""
    names = func.unnest(literal(series, ARRAY(Text))).table_valued("name").render_derived(name="wanted")
    table = MetricRun.__table__
    newest = (
        select(table)
        .where(table.c.job_id == job_id, table.c.series == names.c.name)
        .order_by(table.c.start.desc())
        .limit(1)
        .lateral()
    )
    rows = session.execute(select(newest).join_from(names, newest, true())).mappings()
    return {row["series"]: dict(row) for row in rows}


def _grow(run: _Row | None, points: Iterable[XY], of: _Row) -> list[_Row]:
    """The run with points added behind its end, and further ones where it is full."""
    grown: list[_Row] = []
    for x, y in points:
        if run is None or run["points"] >= LENGTH:
            run = of | _of_one(x, y)
        else:
            run = run | _with(run, x, y)
            if grown and grown[-1]["start"] == run["start"]:
                grown.pop()
        grown.append(run)
    return grown


def _of_one(x: float, y: float) -> _Row:
    ends = {"start": x, "start_y": y, "last": x, "last_y": y}
    return ends | {"low_x": x, "low_y": y, "high_x": x, "high_y": y, "points": 1}


def _with(run: _Row, x: float, y: float) -> _Row:
    """What changes of a run with one more point behind it."""
    changed: _Row = {"last": x, "last_y": y, "points": run["points"] + 1}
    if y < run["low_y"]:
        changed |= {"low_x": x, "low_y": y}
    if y > run["high_y"]:
        changed |= {"high_x": x, "high_y": y}
    return changed


def _write_anew(session: Session, job_id: UUID, series: str, least: float, most: float) -> None:
    """The runs that points between these have changed, from the points themselves."""
    of = and_(MetricRun.job_id == job_id, MetricRun.series == series)
    begin = session.scalar(select(func.max(MetricRun.start)).where(of, MetricRun.start <= least))
    begin = least if begin is None else begin
    end = session.scalar(select(func.min(MetricRun.start)).where(of, MetricRun.start > most))
    within = [Metric.job_id == job_id, Metric.series == series, Metric.x >= begin]
    within += [] if end is None else [Metric.x < end]
    points = [(x, y) for x, y in session.execute(select(Metric.x, Metric.y).where(*within).order_by(Metric.x))]
    session.execute(delete(MetricRun).where(of, MetricRun.start >= begin, MetricRun.start <= most))
    session.execute(insert(MetricRun), [{"job_id": job_id, "series": series} | run for run in cut(points)])


def cut(points: Sequence[XY]) -> list[_Row]:
    """Runs of points in order of ``x``, as long as each other."""
    count = -(-len(points) // LENGTH)
    edges = [len(points) * place // count for place in range(count + 1)]
    runs = []
    for begin, end in pairwise(edges):
        [run] = _grow(None, points[begin:end], {})
        runs.append(run)
    return runs
