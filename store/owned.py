"""Whose a row is: what the tables of things that somebody asked for have in common. Who sees them is in ``store.actors``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, Uuid, column, select, table
from sqlalchemy.orm import Mapped, column_property, declared_attr, mapped_column

#: What keys had before they had projects, and who calls without a key.
DEFAULT_PROJECT = UUID("00000000-0000-7000-8000-000000000001")

#: What ships with the service is of a project that no key belongs to, and that all see.
EVERYBODYS = UUID("00000000-0000-7000-8000-000000000002")

#: What is read of ``store.tables.Project`` with every row.
_PROJECTS = table("projects", column("id", Uuid()), column("name", Text()))


class Owned:
    """Of one project, and invisible to all others."""

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))


class Shared:
    """Of one project, as :class:`Owned`, or :data:`EVERYBODYS`."""

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))


class OfJob:
    """A part of a job, and as visible as that."""

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))


class Made:
    """Somebody has asked for it. Key and its name are None where that was done without one."""

    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    created_by: Mapped[str | None]
    """Name that the key had then."""

    @declared_attr
    def project(cls: Any) -> Mapped[str | None]:  # noqa: N805  SQLAlchemy passes the class.
        """Name of the project, which never changes; None of what ships with the service."""
        named = select(_PROJECTS.c.name).where(_PROJECTS.c.id == cls.project_id, _PROJECTS.c.id != EVERYBODYS)
        return column_property(named.correlate_except(_PROJECTS).scalar_subquery())
