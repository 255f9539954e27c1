"""Series are thinned without losing what stands out."""

from __future__ import annotations

import math
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from store import events, series
from store.events import Point
from store.filters import Span
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


def test_each_stretch_keeps_its_lowest_and_highest(session: Session, search_id: UUID) -> None:
    whole = series.thinned(session, search_id, points=COUNT)["long"]
    assert len(whole) == COUNT
    thin = series.thinned(session, search_id, points=102)["long"]
    for start in range(0, COUNT, COUNT // 50):
        stretch = [y for _, y in whole[start : start + COUNT // 50]]
        kept = [y for x, y in thin if start <= x < start + COUNT // 50]
        assert {min(stretch), max(stretch)} <= set(kept)


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
