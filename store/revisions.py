"""What tells whether anything of a job has changed, in one statement and without reading it.

PostgreSQL keeps with every row the number of the transaction that wrote it (``xmin``). Where the numbers of all rows that tell of a
job are the same, and there are as many of them, the rows are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.columns import Base
from store.errors import NotFound
from store.states import FINISHED, JobKind, JobState
from store.tables import Architecture, Search, Step, Training


@dataclass(frozen=True)
class Revision:
    """Of a job: equal to another where nothing has changed in between. ``finished``: whether it waits for nothing any more."""

    id: UUID
    finished: bool
    written: tuple[Any, ...]


def of_search(session: Session, search_id: UUID) -> Revision:
    """Of a search with its steps, networks and their trainings.

    Raises:
        NotFound: there is none of that id.
    """
    of_it = (
        _all_written(Step, Step.job_id, Step.id),
        _all_written(Architecture, Architecture.search_id, Architecture.id),
        _all_written(Training, Training.job_id, Training.id),
    )
    row = session.execute(_searches().add_columns(*of_it).where(Search.id == search_id)).one_or_none()
    if row is None:
        raise NotFound(JobKind.SEARCH, search_id)
    return _revision(row)


def _searches() -> Select[*tuple[Any, ...]]:
    return select(Search.id, Search.state, _written("jobs"), _written("searches"))


def _revision(row: Row[Any]) -> Revision:
    return Revision(row.id, JobState(row.state) in FINISHED, tuple(row))


def _written(table: str) -> ColumnElement[str]:
    return literal_column(f"{table}.xmin::text")


def _all_written(
    table: type[Base], of: InstrumentedAttribute[Any], key: InstrumentedAttribute[UUID]
) -> ScalarSelect[str]:
    """The numbers of the rows of a search, in order."""
    numbers = func.string_agg(_written(table.__tablename__), aggregate_order_by(literal_column("' '"), key))
    return select(numbers).where(of == Search.id).correlate(Search).scalar_subquery()
