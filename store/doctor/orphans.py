"""Files without rows, rows without files, and files whose time to go has come and passed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from store import files, sweeper
from store.blobs import BlobStore
from store.doctor.findings import Finding, first, ok, several, warning, wrong
from store.session import Sessions, clock, transaction
from store.settings import Settings
from store.sweeper import Findings
from store.tables import Artifact, Attempt, Job, LooseFile

CHECK = "files and rows"

#: Loose files are looked for every few seconds, and those that cannot be deleted again after ten minutes.
_LATE = timedelta(minutes=30)
#: Files, and jobs, that are named of those that lack.
_SHOWN = 3


def look(sessions: Sessions, blobs: BlobStore, settings: Settings) -> Iterator[Finding]:
    """Compares all stored files with all rows, which takes a while where there are many."""
    try:
        found = sweeper.look(sessions, blobs, older_than=timedelta(hours=settings.orphan_hours))
    except DBAPIError:
        raise
    except Exception as error:  # Each kind of store has errors of its own.
        yield wrong(CHECK, f"The stored files cannot be listed: {error}", "See to the store (DNA_ARTIFACTS_URL).")
        return
    with transaction(sessions) as session:
        yield from _missing(session, found)
        yield from _late(session)
    yield from _orphans(found)
    if not found.missing and not found.orphans:
        yield ok(
            CHECK,
            f"Every row has its file, and each of {several(found.files, 'file')} that are old enough to be judged a row.",
        )


def _missing(session: Session, found: Findings) -> Iterator[Finding]:
    if not found.missing:
        return
    of_jobs = select(Job.id, Job.kind, Job.name).join(Artifact, Artifact.job_id == Job.id)
    jobs = session.execute(of_jobs.where(Artifact.location.in_(found.missing)).distinct().order_by(Job.id)).all()
    called = select(Artifact.location, Artifact.name).where(Artifact.location.in_(found.missing[:_SHOWN]))
    names_of = {location: f"{name} ({location})" for location, name in session.execute(called)}
    files = first([names_of.get(location, location) for location in found.missing], _SHOWN)
    ran = select(Attempt.hostname).where(Attempt.job_id.in_([job.id for job in jobs]), Attempt.hostname.is_not(None))
    hosts = sorted(filter(None, session.scalars(ran.distinct())))
    names = [f"{job.kind} {job.name!r} ({job.id})" for job in jobs]
    advice = "Bring them back from a backup of the stored files; else what a job still needs is made again, and downloads fail."
    if hosts:
        advice += f" Their jobs ran on {first(hosts)}: see whether it writes to the same DNA_ARTIFACTS_URL, or to a folder of its own."
    of = f" of {first(names, _SHOWN)}" if names else " of datasets or teachers"
    yield wrong(CHECK, f"{several(len(found.missing), 'file')}{of} cannot be found in this store: {files}.", advice)


def _orphans(found: Findings) -> Iterator[Finding]:
    if found.suspicious:
        yield wrong(
            CHECK,
            f"{len(found.orphans)} of {several(found.files, 'file')} belong to no row. Is this another service's store, or the database an old copy?",
            "Put DNA_ARTIFACTS_URL or DNA_DATABASE_URL right. Where all is right, python -m store sweep --delete deletes them.",
        )
    elif found.orphans:
        yield warning(
            CHECK,
            f"{several(len(found.orphans), 'file')} belong to no row, and no row can come any more.",
            "A live worker deletes them every DNA_TIDY_SECONDS.",
            fix="delete them",
        )


def _late(session: Session) -> Iterator[Finding]:
    due = LooseFile.due_at < clock(session) - _LATE
    unheld = LooseFile.step_id.is_(None)
    if late := session.scalar(select(func.count()).where(due, unheld).select_from(LooseFile)) or 0:
        yield warning(
            CHECK,
            f"{several(late, 'file')} should have been deleted more than half an hour ago.",
            "A live worker does so within seconds, unless the store refuses: its log says.",
            fix="delete them",
        )


def mend(sessions: Sessions, blobs: BlobStore, settings: Settings) -> list[str]:
    """Deletes what :func:`look` has said would be, as workers do; returns what was done."""
    done = []
    found = sweeper.look(sessions, blobs, older_than=timedelta(hours=settings.orphan_hours))
    if found.orphans and not found.suspicious:
        sweeper.remove(sessions, blobs, found.orphans)
        done.append(f"Deleted {several(len(found.orphans), 'stored file')} without a row.")
    if deleted := _discard_late(sessions, blobs):
        done.append(f"Deleted {several(deleted, 'stored file')} whose time had come.")
    return done


def _discard_late(sessions: Sessions, blobs: BlobStore) -> int:
    """Until none is left, or one cannot be deleted."""
    before = left = _loose(sessions)
    while left:
        files.discard_loose(sessions, blobs)
        now = _loose(sessions)
        if now >= left:
            break
        left = now
    return before - left


def _loose(sessions: Sessions) -> int:
    with transaction(sessions) as session:
        due = LooseFile.due_at < clock(session)
        return session.scalar(select(func.count()).where(due).select_from(LooseFile)) or 0
