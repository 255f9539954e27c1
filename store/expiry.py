"""Finished jobs that have had their time, and files that only their own work needed. Both stay for ever unless the settings say how long.

A job that is labelled ``keep`` is left alone, whatever the label's value; so are the checks of datasets, which are the datasets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, exists, literal, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from dna_engine.disk import size
from dna_engine.events import Log
from dna_engine.plans.files import CELLS, CHECKPOINTS, GIVEN, GIVEN_WEIGHTS, START, TEACHER_WEIGHTS
from store import artifacts, changes, events, files, jobs, retention
from store.blobs import BlobStore
from store.errors import NotFound
from store.events import NewEvent
from store.session import Sessions, clock, transaction
from store.settings import Settings
from store.states import FINISHED, EventType, JobKind, JobState
from store.tables import Architecture, Artifact, Event, Job, Metric, MetricRun, TimingJob, Training, Tuning

logger = logging.getLogger("dna.store.expiry")

#: The label that keeps a job.
KEEP = "keep"
#: Jobs that are looked for at once; each is dealt with in transactions of its own.
_AT_ONCE = 100

_CHECKPOINT = Artifact.name.startswith(CHECKPOINTS)
#: What nothing of a job that has succeeded reads again. One that may be resumed needs it.
_SPENT = or_(
    Artifact.name.startswith(CELLS),
    Artifact.name.in_([TEACHER_WEIGHTS, GIVEN_WEIGHTS, GIVEN, START]),
)
_WORKING = or_(_CHECKPOINT, (Job.state == JobState.SUCCEEDED) & _SPENT)

#: Does its part to one job; returns whether it did, or the job is not concerned any more.
Do = Callable[[UUID], bool]


def expire(sessions: Sessions, blobs: BlobStore, settings: Settings) -> dict[str, int]:
    """Deletes what has had its time, job by job; returns how many jobs were deleted, and how many lost files. Safe to run anywhere."""
    return {
        "jobs": delete_jobs(sessions, blobs, settings.job_days),
        "jobs' working files": drop_working_files(sessions, blobs, settings.artifact_days),
    }


def delete_jobs(sessions: Sessions, blobs: BlobStore, days: float | None) -> int:
    """Deletes finished jobs as whoever made them would, and tells it as that is told; returns how many."""
    if days is None:
        return 0

    def concerned(session: Session) -> ColumnElement[bool]:
        return _ended(session, days) & ~_needed()

    return _each(sessions, concerned, lambda job_id: _delete(sessions, blobs, job_id, concerned))


def drop_working_files(sessions: Sessions, blobs: BlobStore, days: float | None) -> int:
    """Deletes checkpoints of finished jobs, and of those that have succeeded the supernets and the teacher too; returns of how many.

    Jobs that were given some of those files have rows of their own for them, and keep them. The job's log says what is gone.
    """
    if days is None:
        return 0

    def concerned(session: Session) -> ColumnElement[bool]:
        return _ended(session, days) & exists().where(Artifact.job_id == Job.id, _WORKING)

    return _each(sessions, concerned, lambda job_id: _drop(sessions, blobs, job_id, concerned, days))


def _ended(session: Session, days: float) -> ColumnElement[bool]:
    before = clock(session) - timedelta(days=days)
    labelled = Job.labels.has_key(literal(KEEP, Text()))
    return and_(Job.finished_at < before, Job.state.in_(FINISHED), Job.kind != JobKind.CHECK, ~labelled)


def _needed() -> ColumnElement[bool]:
    """Whether a training, tuning or timing that was made by itself is of one of the job's networks: those last as long as it does."""
    own = select(Architecture.id).where(Architecture.search_id == Job.id).correlate(Job)
    timing = aliased(TimingJob)
    timed = timing.resolved["architecture_id"].astext.in_(
        select(cast(Architecture.id, Text)).where(Architecture.search_id == Job.id).correlate(Job)
    )
    tuning = Tuning.__table__
    return or_(
        exists().where(Training.architecture_id.in_(own), Training.job_id != Job.id).correlate(Job),
        exists(select(tuning.c.id).where(tuning.c.architecture_id.in_(own)).correlate(Job.__table__)),
        exists(select(timing.id).where(timed).correlate(Job)),
    )


def _each(sessions: Sessions, concerned: Callable[[Session], ColumnElement[bool]], do: Do) -> int:
    """Oldest first. One that somebody holds is left for the next time."""
    done, held = 0, set[UUID]()
    for job_id in _found(sessions, concerned, held):
        try:
            done += do(job_id)
        except OperationalError as error:
            held.add(job_id)
            logger.warning("Job %s, which has had its time, is looked at again later: %s", job_id, error.orig)
    return done


def _found(sessions: Sessions, concerned: Callable[[Session], ColumnElement[bool]], held: set[UUID]) -> Iterator[UUID]:
    while True:
        with transaction(sessions) as session:
            query = select(Job.id).where(concerned(session), Job.id.not_in(held)).order_by(Job.id).limit(_AT_ONCE)
            some = session.scalars(query).all()
        yield from some
        if len(some) < _AT_ONCE:
            return


def _still(session: Session, job_id: UUID, concerned: Callable[[Session], ColumnElement[bool]]) -> Job | None:
    """The job, locked; None where it was resumed, labelled or deleted since it was found."""
    try:
        job = jobs.lock(session, job_id)
    except NotFound:
        return None
    return job if session.scalar(select(Job.id).where(Job.id == job_id, concerned(session))) else None


def _delete(
    sessions: Sessions, blobs: BlobStore, job_id: UUID, concerned: Callable[[Session], ColumnElement[bool]]
) -> bool:
    """Its long tables first, some rows at a time: all at once they could take longer than a statement may."""
    for table in (Metric, MetricRun, Event):
        full = True
        while full:
            with transaction(sessions) as session:
                if _still(session, job_id, concerned) is None:
                    return False
                full = retention.delete_some(session, table, table.job_id == job_id) == retention.BATCH
    with transaction(sessions) as session:
        if _still(session, job_id, concerned) is None:
            return False
        locations = jobs.delete(session, job_id)
    files.discard(sessions, blobs, locations)
    return True


def _drop(
    sessions: Sessions,
    blobs: BlobStore,
    job_id: UUID,
    concerned: Callable[[Session], ColumnElement[bool]],
    days: float,
) -> bool:
    with transaction(sessions) as session:
        job = _still(session, job_id, concerned)
        if job is None:
            return False
        of_it = select(Artifact).join(Job, Job.id == Artifact.job_id).where(Artifact.job_id == job_id, _WORKING)
        found = session.scalars(of_it).all()
        locations = artifacts.remove(session, job_id, *(file.name for file in found))
        _say(session, job, found, days)
    files.discard(sessions, blobs, locations)
    return True


def _say(session: Session, job: Job, gone: Sequence[Artifact], days: float) -> None:
    """What is gone, to whoever looks at the job later."""
    what = "checkpoints, supernets and teacher" if job.state == JobState.SUCCEEDED else "checkpoints"
    then = (
        "What it has found stays."
        if job.state == JobState.SUCCEEDED
        else "Resumed, a step that was under way begins anew."
    )
    whole = size(sum(file.size for file in gone))
    said = (
        f"{days:g} days after its end its {what} were deleted ({len(gone)} files, {whole}; DNA_ARTIFACT_DAYS). {then}"
    )
    line = Log(level="info", message=said).model_dump(mode="json", exclude={"event"})
    events.append(session, job, [NewEvent(EventType.LOG, line)])
    changes.note(session, job.id, job.kind, job.project_id)


def with_work(session: Session, ids: Sequence[UUID], days: float | None) -> set[UUID]:
    """Those of the jobs that have run folders on workers: they may have work to do, now or after a resume.

    Args:
        days: so long after its end one that can be resumed has them: what lies there is stored. None: without end.
    """
    query = select(Job.id).where(Job.id.in_(ids), Job.state != JobState.SUCCEEDED)
    if days is not None:
        query = query.where(Job.id.not_in(select(Job.id).where(Job.id.in_(ids), _ended(session, days))))
    return set(session.scalars(query))
