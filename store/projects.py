"""Rows of projects: what keys share."""

from __future__ import annotations

import re
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.columns import new_id
from store.errors import InvalidName, NameTaken
from store.owned import EVERYBODYS, Owned, Shared
from store.tables import ApiKey, Project

#: Of a new one, as of datasets and teachers.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def joined(session: Session, name: str) -> UUID:
    """The project of that name, which is made where there is none.

    Raises:
        NameTaken: it is that of what ships with the service.
        InvalidName: there is none, and it cannot be called so.
    """
    if not exists(session, name) and not _NAME.fullmatch(name):
        raise InvalidName(
            f"There is no project {name!r}, and none can be called so: take up to 100 letters, digits, dots, dashes and underscores"
        )
    return _of(session, name)


def made(session: Session, name: str, mark: str) -> UUID:
    """A new project of that name; where it is taken, with the mark behind it."""
    return _made(session, name) or _of(session, f"{name}-{mark}")


def exists(session: Session, name: str) -> bool:
    """Whether there is one of that name."""
    return session.scalar(select(Project.id).where(Project.name == name)) is not None


def _of(session: Session, name: str) -> UUID:
    project_id = _made(session, name)
    if project_id is None:
        project_id = session.scalars(select(Project.id).where(Project.name == name)).one()
    if project_id == EVERYBODYS:
        raise NameTaken("project", name)
    return project_id


def _made(session: Session, name: str) -> UUID | None:
    statement = insert(Project).values(id=new_id(), name=name).on_conflict_do_nothing().returning(Project.id)
    return session.scalar(statement)


def of_project(table: type[Owned | Shared | ApiKey], name: str) -> ColumnElement[bool]:
    """The condition on rows of the project of that name, by its id, which lists have indexes for. Nothing is of one that all see."""
    meant = select(Project.id).where(Project.name == name, Project.id != EVERYBODYS).scalar_subquery()
    return table.project_id == meant


def names(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Their names, by id."""
    return {row.id: row.name for row in session.scalars(select(Project).where(Project.id.in_(ids)))}
