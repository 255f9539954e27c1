"""What projects use, for whoever shares out what it costs. The figures are those of ``store.quotas``, of all keys of a project together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Select, func, select
from sqlalchemy.orm import Session

from store.owned import EVERYBODYS
from store.pages import Page, page
from store.quotas import WINDOW
from store.states import JobKind, JobState
from store.tables import ApiKey, Artifact, DeviceUse, Job, Project, Teacher


@dataclass(frozen=True)
class ProjectUse:
    """What a project uses.

    Attributes:
        keys: that were not revoked, also those that have expired.
        jobs: of every kind, by state; those that were deleted count no more.
        device_hours: of its keys, within ``quotas.WINDOW``, also for jobs that were deleted since.
        stored_bytes: of datasets all that is kept, of teachers the weights.
    """

    name: str
    created_at: datetime
    keys: int
    jobs: Mapping[JobState, int]
    device_hours: float
    stored_bytes: int


def listing(session: Session, *, after: UUID | None = None, limit: int = 20) -> Page[ProjectUse]:
    """A page of projects, newest first."""
    found = page(session, select(Project).where(Project.id != EVERYBODYS), Project.id, after=after, limit=limit)
    return Page(_used(session, found.items), found.next)


def _used(session: Session, projects: Sequence[Project]) -> list[ProjectUse]:
    ids = [project.id for project in projects]
    keys = _sums(session, _keys().where(ApiKey.project_id.in_(ids)))
    hours = _sums(session, _device_hours().where(ApiKey.project_id.in_(ids)))
    images = _sums(session, _of_datasets().where(Job.project_id.in_(ids)))
    weights = _sums(session, _of_teachers().where(Teacher.project_id.in_(ids)))
    jobs = {(project_id, state): number for project_id, state, number in session.execute(_jobs(ids))}
    return [
        ProjectUse(
            name=project.name,
            created_at=project.created_at,
            keys=int(keys.get(project.id, 0)),
            jobs={state: jobs.get((project.id, state), 0) for state in JobState},
            device_hours=float(hours.get(project.id, 0)),
            stored_bytes=int(images.get(project.id, 0) + weights.get(project.id, 0)),
        )
        for project in projects
    ]


def _sums(session: Session, query: Select[UUID, int] | Select[UUID, float]) -> dict[UUID, float]:
    """Sums by project, of those that have any."""
    return dict(session.execute(query).all())


def _keys() -> Select[UUID, int]:
    active = select(ApiKey.project_id, func.count(ApiKey.id)).where(ApiKey.revoked_at.is_(None))
    return active.group_by(ApiKey.project_id)


def _jobs(ids: Sequence[UUID]) -> Select[UUID, JobState, int]:
    counted = select(Job.project_id, Job.state, func.count(Job.id)).where(Job.project_id.in_(ids))
    return counted.group_by(Job.project_id, Job.state)


def _device_hours() -> Select[UUID, float]:
    spent = select(ApiKey.project_id, func.sum(DeviceUse.seconds) / 3600)
    spent = spent.join(ApiKey, ApiKey.id == DeviceUse.key_id).where(DeviceUse.day > func.current_date() - WINDOW.days)
    return spent.group_by(ApiKey.project_id)


def _of_datasets() -> Select[UUID, int]:
    kept = select(Job.project_id, func.sum(Artifact.size)).join(Job, Job.id == Artifact.job_id)
    return kept.where(Job.kind == JobKind.CHECK).group_by(Job.project_id)


def _of_teachers() -> Select[UUID, int]:
    weights = func.sum(Teacher.weights["size"].astext.cast(BigInteger))
    return select(Teacher.project_id, weights).group_by(Teacher.project_id)
