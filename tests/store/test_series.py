"""Series are thinned without losing what stands out."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import events, runs, series
from store.events import Point
from store.filters import Span
from store.tables import MetricRun
from tests.store.builders import new_search

COUNT = 5000


@pytest.fixture
def search_id(session: Session) -> UUID:
    """A search with a long series that has a peak and a dip, and a short one."""
    search = new_search(session)
    wave = {x: math.sin(x / 300) for x in range(COUNT)} | {1234: 9.0, 4321: -9.0}
    events.add_points(session, search.id, [Point("long", float(x), y) for x, y in wave.items()])
    events.add_points(session, search.id, [Point("short", float(x), 0.5) for x in range(50)])
    return search.id


@pytest.mark.parametrize("points", [10, 11, 100, 999])
def test_a_long_series_keeps_its_ends_and_extremes(session: Session, search_id: UUID, points: int) -> None:
    long = series.thinned(session, search_id, points=points, prefix="long")["long"]
    assert points // 2 <= len(long) <= points
    assert long == sorted(long)
    assert (long[0], long[-1]) == ((0.0, 0.0), (COUNT - 1.0, math.sin((COUNT - 1) / 300)))
    assert {(1234.0, 9.0), (4321.0, -9.0)} <= set(long)


def test_each_stretch_of_a_series_of_few_runs_keeps_its_lowest_and_highest(session: Session, search_id: UUID) -> None:
    whole = series.thinned(session, search_id, points=COUNT)["long"]
    assert len(whole) == COUNT
    thin = series.thinned(session, search_id, points=1002)["long"]
    for start in range(0, COUNT, COUNT // 500):
        stretch = [y for _, y in whole[start : start + COUNT // 500]]
        kept = [y for x, y in thin if start <= x < start + COUNT // 500]
        assert {min(stretch), max(stretch)} <= set(kept)


@pytest.fixture
def walks() -> dict[str, list[tuple[float, float]]]:
    """Series that come to their thirty thousand points, and to seven hundred, in different ways."""
    rng = random.Random(5)
    return {
        "long": [(float(x), round(rng.gauss(0, 1), 1)) for x in range(30_000)],
        "short": [(x / 7, rng.random()) for x in range(700)],
    }


def told(rng: random.Random, points: list[tuple[float, float]], way: str) -> list[list[tuple[float, float]]]:
    """The points as a worker would tell them, some at a time."""
    if way == "in order":
        size = 1000
    elif way == "again from a checkpoint":
        size = 900
        half = len(points) // 2
        wrong = [(x, y + 1) for x, y in points[: half + 50]]
        return [wrong[:100], wrong[100:], *told(rng, points, "in order")]
    else:
        points, size = rng.sample(points, len(points)), 4000
    return [points[begin : begin + size] for begin in range(0, len(points), size)]


@pytest.mark.parametrize("way", ["in order", "again from a checkpoint", "in no order"])
def test_runs_are_of_the_points_however_these_were_told(
    session: Session, walks: dict[str, list[tuple[float, float]]], way: str
) -> None:
    search = new_search(session)
    for name, points in walks.items():
        for some in told(random.Random(name), points, way):
            events.add_points(session, search.id, [Point(name, x, y) for x, y in some])
    for name, points in walks.items():
        rows = session.scalars(
            select(MetricRun).where(MetricRun.job_id == search.id, MetricRun.series == name).order_by(MetricRun.start)
        ).all()
        place = 0
        for row in rows:
            own = points[place : place + row.points]
            place += row.points
            assert 1 <= row.points <= runs.LENGTH
            assert ((row.start, row.start_y), (row.last, row.last_y)) == (own[0], own[-1])
            assert (row.low_x, row.low_y) == min(own, key=lambda point: (point[1], point[0]))
            assert (row.high_x, row.high_y) == min(own, key=lambda point: (-point[1], point[0]))
        assert place == len(points)
        assert len(rows) <= 2 * len(points) / runs.LENGTH + 1
    [long, short] = series.extents(session, search.id, prefix="", after="", limit=5)
    assert (long.points, long.first, long.last, short.points) == (30_000, 0, 29_999, 700)


def test_runs_show_the_extremes_of_stretches(session: Session, walks: dict[str, list[tuple[float, float]]]) -> None:
    search = new_search(session)
    long = walks["long"]
    events.add_points(session, search.id, [Point("long", x, y) for x, y in long])
    for points in (10, 400, 2000, 10_000):
        thin = series.thinned(session, search.id, points=points)["long"]
        assert points / 2 <= len(thin) <= points
        assert set(thin) <= set(long)
        assert thin == sorted(thin)
        inside = series.thinned(session, search.id, points=points, x=Span(5_001.5, 29_990.0))["long"]
        assert points / 2 <= len(inside) <= points
        assert (inside[0], inside[-1]) == (long[5_002], long[29_990])
        assert min(y for _, y in inside) == min(y for _, y in long[5_002:29_991])
        size = len(long) // ((points - 2) // 2)
        places = [x for x, _ in thin]
        for begin in range(0, len(long) - 3 * size, size):
            until = bisect_right(places, begin + 3 * size + 2 * runs.LENGTH)
            kept = [y for _, y in thin[bisect_left(places, begin) : until]]
            middle = [y for _, y in long[begin + size : begin + 2 * size]]
            assert min(kept) <= min(middle)
            assert max(kept) >= max(middle)


def test_a_stretch_is_thinned_by_itself(session: Session, search_id: UUID) -> None:
    found = series.thinned(session, search_id, points=100, x=Span(40.0, 1300.0))
    assert [x for x, _ in found["short"]] == [float(x) for x in range(40, 50)]
    long = found["long"]
    assert (long[0][0], long[-1][0]) == (40.0, 1300.0)
    assert 50 <= len(long) <= 100
    assert (1234.0, 9.0) in long
    assert series.thinned(session, search_id, points=100, x=Span(COUNT, None)) == {}


def test_short_series_are_whole(session: Session, search_id: UUID) -> None:
    found = series.thinned(session, search_id, points=50)
    assert found["short"] == [(float(x), 0.5) for x in range(50)]
    assert list(found) == ["long", "short"]


def test_many_series_share_what_is_sent(session: Session, search_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MAX_POINTS", 60)
    found = series.thinned(session, search_id, points=1000)
    assert sum(map(len, found.values())) <= 60
    assert len(series.thinned(session, search_id, points=1000, prefix="short")["short"]) == 50


def test_more_points_than_a_statement_takes_values_are_stored_and_replaced(session: Session) -> None:
    """A worker keeps what a database that is away cannot take, and tells all of it at once."""
    search = new_search(session)
    for y in (0.25, 0.5):
        events.add_points(session, search.id, [Point("loss", float(x), y) for x in range(17_000)])
    stored = events.series(session, search.id)["loss"]
    assert [(point.x, point.y) for point in stored] == [(float(x), 0.5) for x in range(17_000)]
