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
    blobs = BlobStore(settings.artifacts)
    beside = [*broker.look(settings.redis_url), *disks.look(blobs, [room.datasets(settings.datasets_dir)])]
    try:
        with _database(settings) as (engine, sessions):
            found = list(postgres.look(engine))
            if _is_current(found):
                with transaction(sessions) as session:
                    found += work.look(session, settings)
                found += orphans.look(sessions, blobs, settings)
    except ArgumentError as error:
        found = [wrong(postgres.CHECK, f"DNA_DATABASE_URL is no address: {error}", "Put it right.")]
    except DBAPIError as error:
        found.append(wrong(postgres.CHECK, f"It stopped answering: {error.orig}", "Look at its log."))
    return [*found, *beside]


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
            gone = [worker.id for worker in work.silent(session, settings)]
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
