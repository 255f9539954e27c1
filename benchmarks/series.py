"""What half a million points of a search cost to be shown: the series thinned, and their list, beside reading the points themselves.

The points are made in the tables, as sixteen cells that were distilled for long would leave them; ``store.series`` answers as the routes ask it. The
baseline finds the same extremes in the points by window functions, as the service did before there were runs. Each side takes turns in one
process; beside the time stand the seconds of CPU of PostgreSQL's process and of this one, which are their own whatever else the
machine does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import psutil
import torch
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from benchmarks import report
from benchmarks.api_rows import WAITING, filled, populate
from store import runs, series
from store.session import Sessions, transaction
from store.tables import Metric, MetricRun

_MAKE = text("""
    INSERT INTO metrics (job_id, series, x, y)
    SELECT :job_id, 'distill/b' || (1 + cell / 4) || 'c' || (1 + cell % 4) || '/loss', x, exp(-x / 10000.0) + 0.1 * random()
    FROM generate_series(0, :points - 1) x, generate_series(0, :cells - 1) cell ORDER BY x, cell
""")

_BY_WINDOWS = text("""
    SELECT series, x, y FROM (
        SELECT *,
            row_number() OVER (PARTITION BY series, place * :stretches / total ORDER BY y, x) AS lowest,
            row_number() OVER (PARTITION BY series, place * :stretches / total ORDER BY y DESC, x) AS highest
        FROM (
            SELECT series, x, y, row_number() OVER (PARTITION BY series ORDER BY x) - 1 AS place,
                count(*) OVER (PARTITION BY series) AS total
            FROM metrics WHERE job_id = :job_id
        ) AS placed
    ) AS ranked WHERE lowest = 1 OR highest = 1 OR place IN (0, total - 1) ORDER BY series, x
""")


@dataclass
class Side:
    """A way to answer, and what its turns took: ms in all, and of CPU of PostgreSQL and of this process."""

    name: str
    ask: Callable[[Session], object]
    wall: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)

    def turn(self, sessions: Sessions) -> None:
        with transaction(sessions) as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            backend = psutil.Process(session.scalars(select(text("pg_backend_pid()"))).one())
            before, process, began = sum(backend.cpu_times()[:2]), time.process_time(), time.perf_counter()
            self.ask(session)
            self.wall.append(1000 * (time.perf_counter() - began))
            self.own.append(1000 * (time.process_time() - process))
            self.database.append(1000 * (sum(backend.cpu_times()[:2]) - before))

    def row(self, baseline: Side) -> list[str]:
        """Means of CPU, which is counted in hundredths of a second; the ratio is that of all CPU."""
        computed, its = (statistics.mean(side.database) + statistics.mean(side.own) for side in (self, baseline))
        figures = (
            min(self.wall),
            statistics.median(self.wall),
            statistics.mean(self.database),
            statistics.mean(self.own),
        )
        return [self.name, *(f"{figure:.0f}" for figure in figures), f"{computed / its:.3f}"]


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("series", torch.device("cpu"))

    def rows(session: Session) -> UUID:
        job_id = populate(session, WAITING + 1)
        fill(session, job_id, arguments)
        return job_id

    with filled(rows) as (_, _, sessions, job_id):
        sides = _sides(job_id, arguments.points)
        for turn in range(arguments.rounds + 1):
            for side in sides:
                side.turn(sessions)
                if turn == 0:  # Warm from then on.
                    side.wall, side.database, side.own = [], [], []
    total = arguments.cells * arguments.of_each
    print(f"{arguments.cells} series, {total:,} points, points={arguments.points}, {arguments.rounds} rounds\n")
    columns = ["answer", "least, ms", "median, ms", "CPU of PostgreSQL, ms", "own CPU, ms", "CPU of windows"]
    report.print_table(columns, [side.row(sides[0]) for side in sides])


def fill(session: Session, job_id: UUID, arguments: argparse.Namespace) -> None:
    """Points, and their runs."""
    session.execute(_MAKE, {"job_id": job_id, "points": arguments.of_each, "cells": arguments.cells})
    for name in session.scalars(select(Metric.series).distinct().where(Metric.job_id == job_id)).all():
        points = select(Metric.x, Metric.y).where(Metric.job_id == job_id, Metric.series == name).order_by(Metric.x)
        cut = runs.cut([(x, y) for x, y in session.execute(points)])
        session.execute(insert(MetricRun), [{"job_id": job_id, "series": name} | run for run in cut])


def _sides(job_id: UUID, points: int) -> list[Side]:
    wanted = {"job_id": job_id, "stretches": (points - 2) // 2}
    return [
        Side("thinned by windows over the points", lambda session: session.execute(_BY_WINDOWS, wanted).all()),
        Side("thinned by runs", lambda session: series.thinned(session, job_id, points=points)),
        Side("list of series", lambda session: series.extents(session, job_id, prefix="", after="", limit=200)),
    ]


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=16, help="series")
    parser.add_argument("--of-each", type=int, default=31_250, help="points")
    parser.add_argument("--points", type=int, default=400, help="as the route is asked")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
