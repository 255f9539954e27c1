"""Pages of a list, newest first. Ids are UUIDv7, so the id of the last item is all a cursor has to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """``items``, and the id ``next`` to continue after; None on the last page."""

    items: list[Row]
    next: UUID | None


def page(
    session: Session,
    query: Select[Row],
    id_column: InstrumentedAttribute[UUID],
    *,
    after: UUID | None,
    limit: int,
) -> Page[Row]:
    """The page of ``query`` that follows the row ``after``: stable while rows are added, fast at any depth."""
    if after is not None:
        query = query.where(id_column < after)
    rows = list(session.scalars(query.order_by(id_column.desc()).limit(limit + 1)))
    items = rows[:limit]
    return Page(items, getattr(items[-1], id_column.key) if len(rows) > limit else None)
