"""Engines, sessions and transactions. Callers make them and close them; nothing is opened at import.

Repositories take a ``Session`` and never commit: the edge (a request, a task, a command) owns the transaction.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from sqlalchemy import TIMESTAMP, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from store.actors import OPERATOR, Actor, acting, restrict
from store.commits import commit
from store.connection import TimeOuts, bound

logger = logging.getLogger("dna.store.session")

Sessions = sessionmaker[Session]

_AGAIN_SECONDS = 0.2

#: Of a server that starts, stops, recovers or is full, and of a connection that it has ended itself.
_PASSING = (
    "starting up",
    "shutting down",
    "not yet accepting",
    "recovery",
    "too many clients",
    "connection slots",
    "terminating connection",
)

Answer = TypeVar("Answer")


def driver_url(url: str) -> str:
    """The URL with psycopg 3 as its driver: ``postgres://`` and ``postgresql://`` are accepted as well."""
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def make_engine(url: str, timeouts: TimeOuts | None = None, *, pool_size: int = 5) -> Engine:
    """An engine whose sessions speak UTC, whose dead connections are noticed before use, and which waits for nothing for ever."""
    limits = timeouts or TimeOuts()
    engine = create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=2 * pool_size,
        pool_use_lifo=True,
        pool_timeout=limits.pool,
        connect_args={
            "options": f"-c timezone=UTC {limits.options}",
            "application_name": "dna",
            "connect_timeout": math.ceil(limits.connect),
        },
    )
    bound(engine, limits)
    return engine


def make_sessions(engine: Engine, actor: Actor = OPERATOR) -> Sessions:
    """A factory of sessions whose objects stay readable after the commit.

    Args:
        actor: who acts in them, where nothing else is said: what they see and whose is what they make, see ``store.actors``.
    """
    sessions = sessionmaker(engine, expire_on_commit=False, info=acting(actor))
    event.listen(sessions, "do_orm_execute", restrict)
    return sessions


@contextmanager
def transaction(sessions: Sessions, actor: Actor | None = None) -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back when the block raises.

    Args:
        actor: who acts in it, instead of who acts in the others.

    Raises:
        OperationalError: it is not committed, or that cannot be found out; a lost answer to the COMMIT alone raises nothing.
    """
    with sessions(info=acting(actor)) if actor else sessions() as session:
        yield session
        commit(session, sessions)


def clock(session: Session) -> datetime:
    """The database's time. Leases and durations use it, so workers' clocks need not agree."""
    return session.scalars(select(func.clock_timestamp(type_=TIMESTAMP(timezone=True)))).one()


def database_id(session: Session) -> str:
    """Tells this database from every other, on one server or several, but for copies of the server's files.

    One that was restored from a dump is another.
    """
    query = "SELECT concat_ws('-', system_identifier, oid) FROM pg_control_system(), pg_database"
    return str(session.scalar(text(f"{query} WHERE datname = current_database()")))


def be_patient(session: Session) -> None:
    """Lets this transaction idle: between its statements comes work of minutes, such as the unpacking of an archive."""
    limits = text("SELECT set_config(name, '0', true) FROM pg_settings WHERE name = ANY(:names)")
    session.execute(limits, {"names": ["idle_in_transaction_session_timeout", "transaction_timeout"]})


def await_database(engine: Engine, *, within: float) -> None:
    """Waits for a server that is starting.

    Args:
        within: seconds, counted from now.

    Raises:
        OperationalError: it did not let anybody in by then, or does not for a reason that does not pass (a wrong password).
    """
    once_reached(engine, lambda _: None, within=within)


def once_reached(engine: Engine, do: Callable[[Connection], Answer], *, within: float) -> Answer:
    """Does something as soon as the server lets us in; again when it leaves in the middle of it.

    Raises:
        OperationalError: as :func:`await_database`.
    """
    deadline = time.monotonic() + within
    said = False
    while True:
        try:
            with engine.connect() as connection:
                return do(connection)
        except OperationalError as error:
            if time.monotonic() > deadline or not _may_pass(str(error.orig)):
                raise
            if not said:
                logger.warning("Waiting up to %.0f s for the database: %s", within, str(error.orig).strip())
            said = True
        time.sleep(_AGAIN_SECONDS)


def _may_pass(reason: str) -> bool:
    """Who answers FATAL refuses, unless it is only not ready yet; who does not answer may be started at this moment."""
    return "FATAL" not in reason or any(words in reason for words in _PASSING)
