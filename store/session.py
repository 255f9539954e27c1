"""Engines, sessions and transactions. Callers make them and close them; nothing is opened at import.

Repositories take a ``Session`` and never commit: the edge (a request, a task, a command) owns the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import TIMESTAMP, Engine, create_engine, func, make_url, select
from sqlalchemy.orm import Session, sessionmaker

from store.commits import commit

Sessions = sessionmaker[Session]


def driver_url(url: str) -> str:
    """The URL with psycopg 3 as its driver: ``postgres://`` and ``postgresql://`` are accepted as well."""
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def make_engine(url: str, *, pool_size: int = 5) -> Engine:
    """An engine whose sessions speak UTC and whose dead connections are noticed before use."""
    return create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=2 * pool_size,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "application_name": "dna"},
    )


def make_sessions(engine: Engine) -> Sessions:
    """A factory of sessions whose objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: Sessions) -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back when the block raises.

    Raises:
        OperationalError: it is not committed, or that cannot be found out; a lost answer to the COMMIT alone raises nothing.
    """
    with sessions() as session:
        yield session
        commit(session, sessions)


def clock(session: Session) -> datetime:
    """The database's time. Leases and durations use it, so workers' clocks need not agree."""
    return session.scalars(select(func.clock_timestamp(type_=TIMESTAMP(timezone=True)))).one()
