"""What tells whether anything of a job has changed, in one statement and without reading it.

PostgreSQL keeps with every row the number of the transaction that wrote it (``xmin``). Where the numbers of all rows that tell of a
job are the same, and there are as many of them, the rows are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Bundle, Session

from store.actors import EVERY_PROJECT, actor_of
from store.columns import Base
from store.errors import NotFound
from store.states import FINISHED, JobKind
from store.tables import Architecture, Search, Step, Training


@dataclass(frozen=True)
class Revision:
    """Of a job: equal to another where nothing has changed in between. ``finished``: whether it waits for nothing any more."""

    id: UUID
    finished: bool
    written: tuple[str | None, ...]


def of_search(session: Session, search_id: UUID) -> Revision:
    """Of a search with its steps, networks and their trainings.

    Raises:
        NotFound: there is none of that id.
    """
    actor = actor_of(session)
    asked = _ANY_SEARCH if actor.sees_all else _OWN_SEARCH
    revision: Revision | None = session.scalar(asked, {"id": search_id, "project_id": actor.project_id})
    if revision is None:
        raise NotFound(JobKind.SEARCH, search_id)
    return revision


class _Revised(Bundle[Any]):
    """Columns that are read as a :class:`Revision`."""

    def create_row_processor(  # SQLAlchemy passes all of them.
        self,
        query: Any,  # noqa: ARG002
        procs: Sequence[Callable[[Any], Any]],
        labels: Sequence[str],  # noqa: ARG002
    ) -> Callable[[Any], Any]:
        job_id, state, *written = procs
        return lambda row: Revision(job_id(row), state(row) in FINISHED, tuple(number(row) for number in written))


def _written(table: type[Base]) -> ColumnElement[str]:
    return literal_column(f"{table.__tablename__}.xmin::text")


def _all_written(table: type[Base], of: str) -> ScalarSelect[str]:
    """The numbers of the rows of a search, in order."""
    rows = table.__table__
    numbers = func.string_agg(_written(table), aggregate_order_by(literal_column("' '"), rows.c["id"]))
    return select(numbers).where(rows.c[of] == Search.id).correlate(Search).scalar_subquery()


_OF_ITSELF: tuple[Any, ...] = (Search.id, Search.state, literal_column("jobs.xmin::text"), _written(Search))

#: Of a search by itself, as it is listed.
SEARCH = _Revised("revision", *_OF_ITSELF)

_OF_PARTS = (_all_written(Step, "job_id"), _all_written(Architecture, "search_id"), _all_written(Training, "job_id"))

# Written once, with the condition that ``store.actors`` would add each time.
_ANY_SEARCH = (
    select(_Revised("revision", *_OF_ITSELF, *_OF_PARTS))
    .where(Search.id == bindparam("id"))
    .execution_options(**EVERY_PROJECT)
)
_OWN_SEARCH = _ANY_SEARCH.where(Search.project_id == bindparam("project_id"))
