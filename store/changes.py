"""What has changed in jobs of every kind, for whoever follows all of them at once.

A line is written in the transaction of each change that people see of a job: made, in another state or phase, renamed, deleted. It says
which job it is of and nothing else: who reads it looks how the job is by then. How far jobs are that run is looked at without lines.

Lines are read by the number of the transaction that wrote them. All below the lowest that still runs, the horizon, are there to be read;
those from it on may come later, and are read again by the next look.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Uuid, bindparam, insert, or_, select, text
from sqlalchemy.orm import Session

from dna_engine.plans import Phase
from store.columns import new_id, rows_of
from store.states import JobKind, JobState
from store.tables import Job, JobChange

#: For so long lines are kept: who has not looked for longer begins anew.
KEPT = timedelta(hours=1)

_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


@dataclass(frozen=True)
class JobNow:
    """A job as it is at this moment."""

    id: UUID
    kind: JobKind
    project_id: UUID
    state: JobState
    phase: Phase
    progress: float
    eta_seconds: float | None


_ROWS = rows_of(JobChange)
#: A line, also within another statement: ``new_change`` is its id, ``of_job``, ``of_kind`` and ``of_project`` are the job's.
INSERT = insert(_ROWS).from_select(
    ["id", "job_id", "kind", "project_id"],
    select(
        bindparam("new_change", type_=Uuid()),
        bindparam("of_job", type_=Uuid()),
        bindparam("of_kind", type_=_ROWS.c.kind.type),
        bindparam("of_project", type_=Uuid()),
    ),
    include_defaults=False,
)


def note(session: Session, job_id: UUID, kind: JobKind, project_id: UUID) -> None:
    """Writes down that the job has changed, or is gone."""
    session.execute(INSERT, {"new_change": new_id(), "of_job": job_id, "of_kind": kind, "of_project": project_id})


def horizon(session: Session) -> int:
    """The lowest number of a transaction that still runs. Ask before what is read beside it."""
    return int(session.scalars(_HORIZON).one())


def since(session: Session, number: int) -> list[JobChange]:
    """The lines of transactions of that number or a higher one, as far as they are committed, in the order of their making."""
    return list(session.scalars(select(JobChange).where(JobChange.transaction >= number).order_by(JobChange.id)))


def now(session: Session, ids: Collection[UUID]) -> list[JobNow]:
    """Those of the jobs that there are, and all that run."""
    # By the index on kind and state, whose first column is to be named.
    runs = Job.kind.in_(list(JobKind)) & (Job.state == JobState.RUNNING)
    query = select(Job.id, Job.kind, Job.project_id, Job.state, Job.phase, Job.progress, Job.eta_seconds)
    return [JobNow(*row) for row in session.execute(query.where(or_(runs, Job.id.in_(ids)) if ids else runs))]
