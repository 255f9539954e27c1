"""Series one by one: which there are, and all points of one, on pages."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.jobs.schemas import SeriesExtent, SeriesPoint
from api.pagination import Page, decode, encode, invalid_cursor
from api.paging import other_list
from store import series
from store.filters import Span

Prefix = Annotated[str, Query(max_length=200, description="Only series whose names begin so.")]
Name = Annotated[
    str, Query(alias="series", max_length=200, description="Name of the series.", examples=["train/winner/loss"])
]
Edge = Annotated[
    float | None,
    Query(ge=-1e300, le=1e300, description="From this `x` on (`x_min`), up to this one (`x_max`), both included."),
]
Points = Annotated[int, Query(ge=1, le=10_000, description="Most points on the page.")]


def extents(session: Session, job_id: UUID, prefix: str, cursor: str | None, limit: int) -> Page[SeriesExtent]:
    """A page of the series of a job, by name."""
    of = json.dumps(prefix)
    after = "" if cursor is None else decode(cursor)
    if cursor is not None and not after.startswith(of):
        raise other_list("This cursor goes on with a list of another prefix")
    rows = series.extents(session, job_id, prefix=prefix, after=after.removeprefix(of), limit=limit + 1)
    items = [SeriesExtent.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next=encode(f"{of}{items[-1].name}") if len(rows) > limit else None)


def points(session: Session, job_id: UUID, name: str, x: Span, cursor: str | None, limit: int) -> Page[SeriesPoint]:
    """A page of the points of one series, by ``x``.

    Raises:
        NotFound: there is no such series, or none yet.
    """
    rows = series.stretch(session, job_id, name, x, after=_after(cursor, name), limit=limit + 1)
    if not rows:
        _check_name(name, series.names(session, job_id))
    items = [SeriesPoint.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next=encode(json.dumps([name, items[-1].x])) if len(rows) > limit else None)


def _check_name(name: str, known: Sequence[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        there_are = "The list /metrics/series has those that there are." if known else "There is none yet."
        raise NotFound(f"There is no series {name!r}.{meant} {there_are}")


def _after(cursor: str | None, name: str) -> float | None:
    if cursor is None:
        return None
    try:
        of, after = json.loads(decode(cursor))
        place = float(after)
    except (ValueError, TypeError) as error:
        raise invalid_cursor() from error
    if of != name:
        raise other_list("This cursor goes on with another series")
    return place
