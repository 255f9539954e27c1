"""Who acts in a session: whose rows it sees, and whose is what it makes. Who sees what is said here and nowhere else.

A session of :func:`acting` for a project finds its rows and those of everybody, whatever it asks: :func:`_restrict` adds the
condition to every statement on mapped classes, also inside of subqueries, joins, ``session.get``, updates and deletes. What it
cannot add it to, statements on bare tables and what an INSERT reads, it refuses. It does not see into ``text()``.

The ways out have names: an actor that sees all (workers, commands, admins), and :data:`EVERY_PROJECT` for one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, ColumnElement, Insert, Table, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql import visitors

from store.columns import Base
from store.limits import Limits
from store.owned import DEFAULT_PROJECT, EVERYBODYS, Made, OfJob, Owned, Shared
from store.tables import Job

_ACTOR = "actor"
_EVERY_PROJECT = "every_project"

#: Option of a statement whose result names nobody's things: places in the queue, what devices take, files that some row names.
EVERY_PROJECT: Mapping[str, Any] = {_EVERY_PROJECT: True}

_JOBS = Job.__table__


@dataclass(frozen=True)
class Actor:
    """Who acts.

    Attributes:
        project_id: whose what it makes is; names of datasets and teachers are those of this project.
        key_id, name: of the key; None without one.
        sees_all: every project's things, not only its own.
        limits: of the key.
    """

    project_id: UUID
    key_id: UUID | None = None
    name: str | None = None
    sees_all: bool = False
    limits: Limits = field(default_factory=Limits)


#: Workers, commands of an operator, and who calls a service that needs no key.
OPERATOR = Actor(DEFAULT_PROJECT, sees_all=True)

#: Nobody who is known: finds what is everybody's, and can make nothing.
NOBODY = Actor(UUID(int=0))


def acting(actor: Actor) -> dict[str, Any]:
    """``info`` of a session in which ``actor`` acts."""
    return {_ACTOR: actor}


def actor_of(session: Session) -> Actor:
    """Who acts in the session; the operator where nothing else is said."""
    actor: Actor = session.info.get(_ACTOR, OPERATOR)
    return actor


def signature(session: Session) -> dict[str, Any]:
    """The columns of a row that say who has made it."""
    actor = actor_of(session)
    return {"project_id": actor.project_id, "key_id": actor.key_id, "created_by": actor.name}


def inherited(of: Job) -> dict[str, Any]:
    """The same of what a job has made."""
    return {name: getattr(of, name) for name in ("project_id", "key_id", "created_by")}


def own(session: Session, table: type[Owned | Shared]) -> Any:
    """The condition on rows of the actor's own project, also for one that sees all: names are a project's own."""
    return table.project_id == actor_of(session).project_id


def restrict(state: ORMExecuteState) -> None:
    """Adds to a statement what its session sees. For the event ``do_orm_execute``.

    Raises:
        UnrestrictedStatement: it reads tables of somebody's things in a way that no condition can be added to.
    """
    actor = actor_of(state.session)
    if actor.sees_all or state.execution_options.get(_EVERY_PROJECT) or state.is_column_load:
        return
    if state.is_orm_statement and not state.is_insert:
        state.statement = state.statement.options(*_seen_by(actor.project_id))
    elif tables := _owned_in(state):
        raise UnrestrictedStatement(f"A statement on the bare tables {', '.join(sorted(tables))} sees every project.")


class UnrestrictedStatement(Exception):
    """Ask by mapped classes, or say :data:`EVERY_PROJECT`."""


@lru_cache(maxsize=1024)
def _seen_by(project_id: UUID) -> tuple[LoaderCriteriaOption, ...]:
    """Every load asks again by itself, also those of relationships, so nothing is to be propagated."""
    return (
        _only(Owned, lambda cls: cls.project_id == project_id),
        _only(Shared, lambda cls: or_(cls.project_id == project_id, cls.project_id == EVERYBODYS)),
        _only(OfJob, lambda cls: cls.job_id.in_(select(_JOBS.c.id).where(_JOBS.c.project_id == project_id))),
    )


def _only(of: type, condition: Callable[[Any], ColumnElement[bool]]) -> LoaderCriteriaOption:
    return with_loader_criteria(of, condition, include_aliases=True, propagate_to_loaders=False)


def _owned_in(state: ORMExecuteState) -> set[str]:
    """Tables of somebody's things that the statement reads or changes; of an INSERT those that it reads, which no condition reaches."""
    owned = {
        mapper.local_table
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Owned | Shared | OfJob | Made)
    }
    statement = state.statement.select if isinstance(state.statement, Insert) else state.statement
    if statement is None:
        return set()
    assert isinstance(statement, ClauseElement)
    return {element.name for element in visitors.iterate(statement) if isinstance(element, Table) and element in owned}
