"""PostgreSQL: whether it answers, how fast, whether its settings and its schema are such as the service needs, and its clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from dna_engine.disk import size
from store import migrate
from store.doctor.findings import Finding, ok, several, warning, wrong

CHECK, SCHEMA, CLOCK = "PostgreSQL", "schema", "clock"

#: The oldest that has all that is asked of it (``pg_current_xact_id``), and what is tested.
OLDEST, TESTED = 130_000, 180_000
#: Seconds that an answer may take before it is felt: a report of a step has some ten statements.
SLOW = 0.02
#: Connections that a process may open at most, see ``store.session.make_engine``: an API, and a node of a worker.
OF_API, OF_NODE = 48, 15
#: Seconds by which clocks may differ: unnoticed, and before signatures, ages and times that people see are wrong.
DRIFT, ASTRAY = 2.0, 30.0
#: Hours after which a transaction that is still open keeps the server from tidying up.
LONG_HOURS = 1.0

#: What a server must not do without, by setting; off where somebody was in a hurry.
_SAFE = {
    "fsync": "a crash of its machine can destroy the database",
    "full_page_writes": "a crash of its machine can destroy the database",
    "synchronous_commit": "a crash of it can lose what was told to be done",
    "autovacuum": "its tables only grow",
}


def look(engine: Engine) -> Iterator[Finding]:
    """Everything that the server itself can tell. One that does not answer is the only finding then."""
    try:
        with engine.connect() as connection:
            yield _answers(connection)
            yield from _settings(connection)
            yield from _connections(connection)
            yield from _transactions(connection)
            yield from clock(connection)
            yield schema(connection)
    except OperationalError as error:
        said = " ".join(str(error.orig).split())
        yield wrong(CHECK, f"It does not answer: {said}", "Start it, or put DNA_DATABASE_URL right.")


def _answers(connection: Connection) -> Finding:
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        connection.scalar(text("SELECT 1"))
        took.append(time.perf_counter() - begun)
    number, name = connection.execute(
        text("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
    ).one()
    holds = size(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    median = statistics.median(took)
    said = f"{name.split()[0]} answers in {1000 * median:.1f} ms; the database has {holds}."
    if number < OLDEST:
        return wrong(CHECK, said, f"Use version {OLDEST // 10_000} or newer; {TESTED // 10_000} is tested.")
    if median > SLOW:
        return warning(CHECK, said, "Put the API and the workers near it: each step of a job asks it many times.")
    return ok(CHECK, said)


def _settings(connection: Connection) -> Iterator[Finding]:
    query = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
    for name, value in connection.execute(query, {"names": list(_SAFE)}):
        if value == "off":
            yield warning(CHECK, f"{name} is off: {_SAFE[name]}.", f"ALTER SYSTEM RESET {name}, then reload it.")


def _connections(connection: Connection) -> Iterator[Finding]:
    used, nodes, most = connection.execute(
        text(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), "
            "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dna' AND datname = current_database()), "
            "current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        )
    ).one()
    said = f"{used} of {most} connections are taken, {nodes} of them by this service"
    if used > 0.9 * most:
        yield wrong(CHECK, f"{said}.", "Raise max_connections, or run fewer processes; others are turned away soon.")
    else:
        yield ok(CHECK, f"{said}.")


def too_few_connections(connection: Connection, nodes: int) -> Iterator[Finding]:
    """Whether so many live nodes and one API may open more connections than the server lets in."""
    most = connection.scalar(
        text("SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int")
    )
    needed = OF_API + OF_NODE * nodes
    if needed > (most or 0):
        yield warning(
            CHECK,
            f"An API process ({OF_API}) and {several(nodes, 'node')} ({OF_NODE} each) may open {needed} connections, and it lets in {most}.",
            f"Set max_connections to {needed + 20} or more, or put a pooler in front.",
        )


def _transactions(connection: Connection) -> Iterator[Finding]:
    oldest = connection.scalar(
        text(
            "SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    )
    if oldest is not None and oldest > 3600 * LONG_HOURS:
        yield warning(
            CHECK,
            f"A transaction has been open for {float(oldest) / 3600:.1f} hours: nothing that was deleted since is tidied up.",
            "Look at it in pg_stat_activity, and end it with pg_terminate_backend(pid).",
        )


def clock(connection: Connection) -> Iterator[Finding]:
    """Whether this machine has the time of the server, by which leases run."""
    begun = datetime.now(UTC)
    theirs = connection.scalar(text("SELECT clock_timestamp()"))
    assert isinstance(theirs, datetime)
    ours = begun + (datetime.now(UTC) - begun) / 2
    yield compared(CLOCK, "This machine", "PostgreSQL", (ours - theirs).total_seconds())


def compared(check: str, ours: str, theirs: str, ahead: float) -> Finding:
    """What is to be said of a clock that is so many seconds ahead of another."""
    if abs(ahead) <= DRIFT:
        return ok(check, f"{ours} and {theirs} have the same time.")
    said = f"{ours} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {theirs}."
    advice = "Let both machines take their time from NTP (chronyd, systemd-timesyncd)."
    return (wrong if abs(ahead) > ASTRAY else warning)(check, said, advice)


def schema(connection: Connection) -> Finding:
    """Whether it is the one of this version."""
    at = migrate.revision(connection)
    if migrate.is_current(connection):
        return ok(SCHEMA, f"It is that of this version ({at}).")
    if at is None:
        return wrong(SCHEMA, "There is none.", "Run dna migrate (python -m store migrate).")
    if not migrate.knows(at):
        return wrong(SCHEMA, f"It is of another version than this one ({at}).", "Bring this installation up to date.")
    return wrong(SCHEMA, f"It is of an earlier version ({at}).", "Stop the workers and run dna migrate.")
