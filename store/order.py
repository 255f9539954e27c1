"""Pages of lists in any order that is offered: each goes on behind the last row of the one before, whatever came or went meanwhile.

A page is read by (value, id), as an index on both has them; rows whose value is not known come last, in either direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")

#: Ids are UUIDv7: in their order rows were made.
CREATED = "created_at"


@dataclass(frozen=True)
class Key:
    """What rows may be ordered by. ``known`` where every row has it."""

    column: ColumnElement[Any] | InstrumentedAttribute[Any]
    known: bool = True


@dataclass(frozen=True)
class Order:
    """The orders in which a list may be had: by ``created_at`` and by ``keys``, from the least on or, with - before it, from the most.

    Attributes:
        joined: the same id in a table that is joined; PostgreSQL skips there too only what it is told to.
    """

    ids: InstrumentedAttribute[UUID]
    keys: Mapping[str, Key] = field(default_factory=dict)
    default: str = f"-{CREATED}"
    joined: ColumnElement[UUID] | None = None

    @property
    def offered(self) -> tuple[str, ...]:
        """All that may be asked for."""
        return tuple(f"{sign}{name}" for name in (CREATED, *self.keys) for sign in ("", "-"))

    def key(self, sort: str) -> Key:
        """What ``sort``, which is offered, orders by."""
        name = sort.removeprefix("-")
        return Key(self.ids) if name == CREATED else self.keys[name]


@dataclass(frozen=True)
class Place:
    """Of a row in a list: what this is ordered by, None where it is not known, and the row's id."""

    value: Any
    id: UUID


@dataclass(frozen=True)
class At:
    """Which page: in which order, behind which place, of how many rows at most."""

    sort: str = f"-{CREATED}"
    after: Place | None = None
    limit: int = 20


@dataclass(frozen=True)
class Page(Generic[Row]):
    """``items``, and the place ``next`` to continue after; None on the last page."""

    items: list[Row]
    next: Place | None


def page(session: Session, query: Select[Row], order: Order, at: At) -> Page[Row]:
    """The page of ``query``, which has no order of its own."""
    key, wanted = order.key(at.sort), at.limit + 1
    rows = [] if at.after and at.after.value is None else _known(session, query, order, at, wanted)
    if not key.known and len(rows) < wanted:
        rows += _unknown(session, query, order, at, wanted - len(rows))
    items, places = [row for row, _ in rows[: at.limit]], [place for _, place in rows[: at.limit]]
    return Page(items, places[-1] if len(rows) > at.limit else None)


def _known(session: Session, query: Select[Row], order: Order, at: At, limit: int) -> list[tuple[Row, Place]]:
    """Rows whose value is known, behind the place."""
    key, descending = order.key(at.sort), at.sort.startswith("-")
    by = [order.ids] if key.column is order.ids else [key.column, order.ids]
    if not key.known:
        query = query.where(key.column.is_not(None))
    if at.after is not None:
        behind = tuple_(*by), tuple_(*([at.after.value, at.after.id][-len(by) :]), types=[each.type for each in by])
        query = query.where(behind[0] < behind[1] if descending else behind[0] > behind[1])
        if order.joined is not None and key.column is order.ids:
            query = query.where(order.joined < at.after.id if descending else order.joined > at.after.id)
    return _read(session, query.order_by(*(each.desc() if descending else each.asc() for each in by)), order, at, limit)


def _unknown(session: Session, query: Select[Row], order: Order, at: At, limit: int) -> list[tuple[Row, Place]]:
    """Rows whose value is not known, the newest first."""
    query = query.where(order.key(at.sort).column.is_(None))
    if at.after is not None and at.after.value is None:
        query = query.where(order.ids < at.after.id)
    return _read(session, query.order_by(order.ids.desc()), order, at, limit)


def _read(session: Session, query: Select[Row], order: Order, at: At, limit: int) -> list[tuple[Row, Place]]:
    asked: Select[Any] = query.add_columns(order.key(at.sort).column.label("at"), order.ids.label("row_id"))
    return [(row, Place(value, row_id)) for row, value, row_id in session.execute(asked.limit(limit))]
