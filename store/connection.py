"""Connections to PostgreSQL that wait for nothing for ever.

The server ends what takes too long: statements, waits for locks, transactions in which nothing happens. But a server that is frozen
ends nothing, and a machine that is gone does not say so; so every wait for an answer has an end on this side too. While a server
does not answer, one attempt at a time finds out whether it does again, and all others fail at once.
"""

from __future__ import annotations

import math
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

#: After an attempt to connect was not answered, how long the next one waits, in seconds.
PAUSE_SECONDS = 1.0

#: Beyond the server's own limit of a statement, how long its answer may be on the way, in seconds.
WAY_SECONDS = 5.0

#: A whole transaction may take so many times what one of its statements may.
STATEMENTS = 10

#: Of the server's end of a connection: a machine that is gone is found out within a minute and a half, where the system waits for two hours.
_KEEPALIVES = "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"

#: The first version that ends transactions, as PostgreSQL numbers them.
_ENDS_TRANSACTIONS = 170000

#: For so long after an answer a connection is taken to live, in seconds; at more than a few requests a second none has to be asked.
HEARD_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class TimeOuts:
    """In seconds; 0 is without end.

    Attributes:
        connect: to be let in, and to hear from a connection that was not in use whether it still lives.
        statement: for one statement, its COMMIT included.
        lock: for a row that another transaction holds.
        idle: between two statements of a transaction.
        pool: for a connection while all are in use.
    """

    connect: float = 5.0
    statement: float = 30.0
    lock: float = 10.0
    idle: float = 60.0
    pool: float = 10.0

    @property
    def options(self) -> str:
        """What the server is told when a connection begins."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return " ".join([_KEEPALIVES, *(f"-c {name}={math.ceil(1000 * seconds)}" for name, seconds in limits.items())])

    @property
    def transaction(self) -> float:
        """For all statements of a transaction and what comes between. It is the only end of one whose client is gone in the middle of statements
        that it sent at once: such a one is neither idle nor at work to the server, and holds its locks."""
        return STATEMENTS * self.statement

    @property
    def answer(self) -> float | None:
        """How long this side waits for the answer to a statement."""
        return self.statement + WAY_SECONDS if self.statement else None


#: For migrations: no statement of theirs is cut short, and they wait their turn.
PATIENT = TimeOuts(statement=0.0, lock=0.0, idle=0.0)


def bound(engine: Engine, timeouts: TimeOuts) -> None:
    """Holds the connections of an engine to these times, and has only those used that live.

    One that was not in use for a moment is asked whether it does; the answer may take no longer than being let in.
    """
    event.listen(engine, "do_connect", Door(timeouts).connect)

    @event.listens_for(engine, "checkout")
    def in_use(connection: Connection, *_: object) -> None:
        if not connection.is_known_to_live:
            _ask(engine, connection)
        connection.patience = timeouts.answer

    @event.listens_for(engine, "checkin")
    def not_in_use(connection: Connection | None, _: object) -> None:
        if connection is not None:
            connection.patience, connection.heard_at = timeouts.connect or None, time.monotonic()


def _ask(engine: Engine, connection: Connection) -> None:
    """Raises InvalidatePoolError where it does not live: SQLAlchemy makes another then, also of the others that it keeps."""
    try:
        engine.dialect.do_ping(connection)  # type: ignore[arg-type]
    except psycopg.Error as error:
        if connection.closed:
            raise InvalidatePoolError from error
        raise


class Connection(psycopg.Connection[Any]):
    """A connection that is closed when an answer does not come.

    Attributes:
        patience: seconds that each answer may take; None is without end.
        silent: called when an answer did not come.
        heard_at: when the server last answered on it, as far as is known.
    """

    patience: float | None = None
    heard_at: float = 0.0
    silent: Callable[[], object] = staticmethod(lambda: None)

    @property
    def is_known_to_live(self) -> bool:
        """Whether the server has answered a moment ago, and has not hung up since: it says nothing that nobody has asked for."""
        if time.monotonic() - self.heard_at > HEARD_SECONDS or self.closed:
            return False
        heard = select.poll()  # Not select.select, which takes no number above 1023: many streams are open.
        heard.register(self.fileno(), select.POLLIN)
        return not heard.poll(0)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Raises:
        psycopg.OperationalError: no answer came in time.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.errors._WaitTimeout as error:
            self.pgconn.finish()  # In the middle of an answer it is good for nothing more.
            self.silent()
            raise psycopg.OperationalError(f"no answer within {self.patience:g} s") from error


class Door:
    """Where connections of one engine are made. While the server is silent one caller at a time tries, the others are sent away."""

    def __init__(self, timeouts: TimeOuts) -> None:
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._silent = False
        self._next_try = 0.0

    def connect(self, _dialect: Any, _record: Any, arguments: Any, parameters: Any) -> Connection:
        """SQLAlchemy's ``do_connect``.

        Raises:
            psycopg.OperationalError: the server does not let anybody in, or did not answer a moment ago.
        """
        self._wait_outside()
        try:
            connection = Connection.connect(*arguments, **parameters)
        except psycopg.errors.ConnectionTimeout:
            self._is_silent()
            raise
        except BaseException:
            self._silent = False  # It refused, and that is an answer.
            raise
        self._silent = False
        connection.patience, connection.silent = self._timeouts.connect or None, self._is_silent
        if connection.info.server_version >= _ENDS_TRANSACTIONS:
            connection.autocommit = True
            connection.execute(f"SET transaction_timeout = {math.ceil(1000 * self._timeouts.transaction)}")
            connection.autocommit = False
        connection.heard_at = time.monotonic()
        return connection

    def _wait_outside(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._silent and now < self._next_try:
                raise psycopg.OperationalError("the server did not answer a moment ago")
            self._next_try = now + self._timeouts.connect + PAUSE_SECONDS

    def _is_silent(self) -> None:
        with self._lock:
            self._silent, self._next_try = True, time.monotonic() + PAUSE_SECONDS
