"""Networks in lists: which are meant, in which order, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.filters import Filter, Span
from store.refs import meant
from store.states import Role
from store.tables import Architecture, Job, Training

Sort = Literal["created", "-created", "flops", "-flops", "params", "-params", "loss", "-loss", "accuracy", "-accuracy"]

_COLUMNS: Mapping[str, InstrumentedAttribute[Any]] = {
    "flops": Architecture.flops,
    "params": Architecture.params,
    "loss": Architecture.loss,
    "accuracy": Architecture.test_accuracy,
}


@dataclass(frozen=True)
class Which:
    """Which networks a list shows: of a search, of a role, found or trained on a dataset, within costs and accuracies, meant by
    ``ref``: a name or an end of an id.
    """

    search_id: UUID | None = None
    role: Role | None = None
    dataset: str | None = None
    flops: Span = field(default_factory=Span)
    params: Span = field(default_factory=Span)
    accuracy: Span = field(default_factory=Span)
    ref: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found = [
            *self.flops.of(Architecture.flops),
            *self.params.of(Architecture.params),
            *self.accuracy.of(Architecture.test_accuracy),
        ]
        if self.search_id is not None:
            found.append(Architecture.search_id == self.search_id)
        if self.role is not None:
            found.append(Architecture.role == self.role)
        if self.dataset is not None:
            found.append(_on(self.dataset))
        if self.ref is not None:
            found.append(meant(self.ref, Architecture.id, Architecture.name))
        return found


@dataclass(frozen=True)
class Place:
    """Of a network in a list: the figure that this is ordered by, where it is known, and its id."""

    value: float | None
    id: UUID


@dataclass(frozen=True)
class Listed:
    """``items``, and the place ``next`` to continue after; None on the last page."""

    items: list[Architecture]
    next: Place | None


def listing(
    session: Session, which: Which, *, sort: Sort = "-created", after: Place | None = None, limit: int = 20
) -> Listed:
    """A page of networks. Stable while rows are added; of equal ones the newest first, those whose figure is not known last.

    Args:
        sort: what they are ordered by, with - the largest or newest first.
        after: ``next`` of the page before, in the same order.
    """
    query = select(Architecture).where(*which.conditions())
    if after is not None:
        query = query.where(_behind(sort, after))
    rows = list(session.scalars(_ordered(query, sort).limit(limit + 1)))
    items = rows[:limit]
    return Listed(items, _place(items[-1], sort) if len(rows) > limit else None)


def _on(dataset: str) -> ColumnElement[bool]:
    """Found by a search on the dataset, or trained on it."""
    jobs = Filter(dataset=dataset).of(select(Job.id))
    trained = exists().where(Training.architecture_id == Architecture.id, Training.job_id.in_(jobs))
    return or_(Architecture.search_id.in_(jobs), trained)


def _ordered(query: Select[Any], sort: Sort) -> Select[Any]:
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name == "created":
        return query.order_by(Architecture.id.desc() if descending else Architecture.id)
    column = _COLUMNS[name]
    return query.order_by((column.desc() if descending else column.asc()).nulls_last(), Architecture.id.desc())


def _place(row: Architecture, sort: Sort) -> Place:
    name = sort.removeprefix("-")
    return Place(None if name == "created" else getattr(row, _COLUMNS[name].key), row.id)


def _behind(sort: Sort, place: Place) -> ColumnElement[bool]:
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name == "created":
        return Architecture.id < place.id if descending else Architecture.id > place.id
    column = _COLUMNS[name]
    if place.value is None:
        return and_(column.is_(None), Architecture.id < place.id)
    beyond = column < place.value if descending else column > place.value
    return or_(beyond, and_(column == place.value, Architecture.id < place.id), column.is_(None))
