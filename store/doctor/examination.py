"""``python -m store doctor``: everything that can be told from the servers, the stored files and the rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine, delete
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from store import claims, flow, room, steps
from store.blobs import BlobStore
from store.doctor import broker, disks, orphans, postgres, work
from store.doctor.findings import Finding, Level, several, wrong
from store.session import Sessions, make_engine, make_sessions, transaction
from store.settings import Settings
from store.tables import Worker

logger = logging.getLogger("dna.store.doctor")


def examine(settings: Settings) -> list[Finding]:
    """Changes nothing, but for a small file that is written to each place and taken away again."""
    blobs, beside = _blobs(settings)
    beside += broker.look(settings.redis_url)
    places = [room.datasets(settings.datasets_dir)]
    beside += disks.folders(places) if blobs is None else disks.look(blobs, places)
    found: list[Finding] = []
    try:
        with _database(settings) as (engine, sessions):
            found += postgres.look(engine)
            if _is_current(found):
                with transaction(sessions) as session:
                    found += work.look(session, settings)
                found += [] if blobs is None else orphans.look(sessions, blobs, settings)
    except ArgumentError as error:
        found.append(wrong(postgres.CHECK, f"DNA_DATABASE_URL is no address: {error}", "Put it right."))
    except DBAPIError as error:
        found.append(wrong(postgres.CHECK, f"It stopped answering: {error.orig}", "Look at its log."))
    return [*found, *beside]


def _blobs(settings: Settings) -> tuple[BlobStore | None, list[Finding]]:
    """The stored files; None, and why, where their URL leads to nothing that is known here."""
    try:
        return BlobStore(settings.artifacts), []
    except (ImportError, ValueError) as error:
        advice = "Put DNA_ARTIFACTS_URL right, or install what it needs (s3:// needs dna-automl[s3])."
        return None, [wrong(disks.FILES, f"They cannot be opened: {error}", advice)]


def mend(settings: Settings) -> list[str]:
    """Does what findings say that ``--fix`` would do, by the ways that workers go; returns what was done.

    Nothing is done where the schema is another one.
    """
    done = []
    with _database(settings) as (engine, sessions):
        if not _is_current(list(postgres.look(engine))):
            return []
        if taken := _reap(sessions):
            done.append(f"Took {several(taken, 'step')} from lost workers.")
        with transaction(sessions) as session:
            gone = [worker.id for worker in work.silent(session, work.FORGOTTEN)]
            session.execute(delete(Worker).where(Worker.id.in_(gone)))
        if gone:
            done.append(f"Forgot {several(len(gone), 'node')} that went without a word.")
        with transaction(sessions) as session:
            patience = timedelta(seconds=2 * settings.rewake_seconds)
            announced = steps.rewake(session, steps.waited_in(session), after=patience)
        if announced:
            done.append(f"Announced {several(announced, 'step')} again.")
        done += orphans.mend(sessions, BlobStore(settings.artifacts), settings)
    return done


def _reap(sessions: Sessions) -> int:
    with transaction(sessions) as session:
        expired = claims.expired(session)
    taken = 0
    for seen in expired:
        try:
            with transaction(sessions) as session:
                taken += flow.reap(session, seen) is not None
        except OperationalError as error:
            logger.warning("Step %s is held by somebody: %s", seen.id, error.orig)
    return taken


@contextmanager
def _database(settings: Settings) -> Iterator[tuple[Engine, Sessions]]:
    engine = make_engine(settings.database, settings.database_timeouts, pool_size=1)
    try:
        yield engine, make_sessions(engine)
    finally:
        engine.dispose()


def _is_current(found: Sequence[Finding]) -> bool:
    return any(finding.check == postgres.SCHEMA and finding.level is Level.OK for finding in found)
