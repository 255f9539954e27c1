"""Databases of tests that commit: clones of a migrated one, each of one test alone.

To clone one and to drop it takes the server longer than most tests take, hundreds of files that are copied and removed each time. So one that
a test has left is emptied and gets another name, by which the next has it to itself like a new one: whoever is still connected is thrown out,
whoever comes back finds no database of that name, tables are vacuumed, sequences start anew. One of which that cannot be said is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from store.columns import new_id
from store.session import make_engine

#: What a test may change of a schema, in one line.
SCHEMA = """
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT concat_ws(' ', c.oid::regclass, c.relkind, a.attname, a.atttypid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.oid >= 16384 AND c.relkind <> 't' AND a.attnum > 0
        UNION ALL SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint
        UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid >= 16384
        UNION ALL SELECT concat_ws(' ', tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat_ws(' ', oid, proname) FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT nspname FROM pg_namespace WHERE oid >= 16384 AND nspname NOT LIKE 'pg_%'
        UNION ALL SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting r JOIN pg_database b ON b.oid = r.setdatabase
        WHERE b.datname = current_database()
    ) AS lines
"""


@dataclass(frozen=True)
class Pristine:
    """A migrated database that nobody has used.

    Attributes:
        schema: as ``SCHEMA`` puts it.
        rows: as text, of the tables into which the migrations have put some.
    """

    schema: str
    rows: dict[str, list[str]]

    @classmethod
    def of(cls, connection: Connection) -> Pristine:
        rows = {table: rows for table in _used(connection) if (rows := _rows(connection, table))}
        return cls(connection.execute(text(SCHEMA)).scalar_one(), rows)


class Databases:
    """Those of one run, on one server."""

    def __init__(self, server_url: str, migrated: str) -> None:
        self._server = make_engine(server_url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
        self._migrated = migrated
        self._idle: list[str] = []
        self._pristine: Pristine | None = None

    @contextmanager
    def new(self) -> Iterator[str]:
        """URL of a migrated database without jobs that exists inside the block."""
        name = self._idle.pop() if self._idle else self._cloned()
        yield self._url(name)
        if not self._made_as_new(name):
            self._do(f'DROP DATABASE "{name}" WITH (FORCE)')

    def close(self) -> None:
        for name in self._idle:
            self._do(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._server.dispose()

    def _cloned(self) -> str:
        name = _a_name()
        # As files: to write each page to the log takes the server half as long again.
        self._do(f'CREATE DATABASE "{name}" TEMPLATE "{make_url(self._migrated).database}" STRATEGY FILE_COPY')
        if self._pristine is None:
            with self._connected(name) as connection:
                self._pristine = Pristine.of(connection)
        return name

    def _made_as_new(self, name: str) -> bool:
        """Whether it was emptied and lies among the idle ones by another name."""
        fresh = _a_name()
        try:
            self._leave_alone(name)
            self._do(f'ALTER DATABASE "{name}" RENAME TO "{fresh}"', f'ALTER DATABASE "{fresh}" ALLOW_CONNECTIONS true')
        except DBAPIError:  # Somebody cannot be thrown out.
            return False
        with self._connected(fresh) as connection:
            clean = self._emptied(connection)
        if clean:
            self._idle.append(fresh)
        else:
            self._do(f'DROP DATABASE "{fresh}" WITH (FORCE)')
        return True

    def _leave_alone(self, name: str) -> None:
        self._do(
            f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'",
        )

    def _emptied(self, connection: Connection) -> bool:
        """Whether there is nothing left but what the migrations have made."""
        assert self._pristine is not None
        if connection.execute(text(SCHEMA)).scalar_one() != self._pristine.schema:
            return False
        _delete(connection, _used(connection), keep=self._pristine.rows)
        return Pristine.of(connection) == self._pristine

    @contextmanager
    def _connected(self, name: str) -> Iterator[Connection]:
        engine = make_engine(self._url(name), pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def _url(self, name: str) -> str:
        return make_url(self._migrated).set(database=name).render_as_string(hide_password=False)

    def _do(self, *statements: str) -> None:
        with self._server.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


def _a_name() -> str:
    return f"test_{new_id().hex}"


def _used(connection: Connection) -> list[str]:
    """Tables that have rows, or had some."""
    used = "SELECT oid::regclass::text FROM pg_class WHERE oid >= 16384 AND relkind = 'r' AND pg_relation_size(oid) > 0"
    return sorted(connection.scalars(text(used)))


def _rows(connection: Connection, table: str) -> list[str]:
    return sorted(connection.scalars(text(f"SELECT r::text FROM {table} AS r")))


def _delete(connection: Connection, tables: Sequence[str], *, keep: dict[str, list[str]]) -> None:
    """In one statement, at whose end references are checked; vacuumed, so that rows come in the order in which they are put in."""
    deletions, kept = [], {}
    for number, table in enumerate(tables):
        deletions.append(f"t{number} AS (DELETE FROM {table} AS r WHERE r::text <> ALL (CAST(:k{number} AS text[])))")
        kept[f"k{number}"] = keep.get(table, [])
    connection.execute(text(f"WITH {', '.join(deletions)} SELECT 1"), kept)
    connection.execute(text(f"VACUUM {', '.join(tables)}"))
    sequences = "SELECT seqrelid, seqstart FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL"
    connection.execute(text(f"SELECT setval(seqrelid, seqstart, false) FROM ({sequences}) AS used"))
