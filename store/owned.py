"""Whose a row is: what the tables of things that somebody asked for have in common. Who sees them is in ``store.actors``."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

#: What keys had before they had projects, and who calls without a key.
DEFAULT_PROJECT = UUID("00000000-0000-7000-8000-000000000001")

#: What ships with the service is of a project that no key belongs to, and that all see.
EVERYBODYS = UUID("00000000-0000-7000-8000-000000000002")


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
    """Somebody has asked for it. Both are None where that was done without a key."""

    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    created_by: Mapped[str | None]
    """Name of the key, which never changes."""
