"""Nothing waits for PostgreSQL for ever: neither where it ends what takes long itself, nor where it is frozen."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from store.connection import PATIENT, TimeOuts
from store.session import (
    Sessions,
    await_database,
    be_patient,
    make_engine,
    make_sessions,
    once_reached,
    transaction,
)
from tests.postgres import SparePostgres

#: psycopg waits two seconds at least to be let in.
SHORT = TimeOuts(connect=2.0, statement=0.3, lock=0.1)
IDLE_SECONDS = 0.3


@pytest.fixture
def brief(spare_postgres: SparePostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine of little patience, on a server that may be frozen."""
    monkeypatch.setattr("store.connection.WAY_SECONDS", 0.2)
    engine = make_engine(spare_postgres.url, SHORT)
    yield engine
    engine.dispose()


def test_a_frozen_server_is_given_up_and_found_again(brief: Engine, spare_postgres: SparePostgres) -> None:
    with brief.connect() as connection:
        connection.execute(text("SELECT 1"))
        with spare_postgres.frozen():
            # The server's own limit of a statement ends nothing now.
            with pytest.raises(OperationalError, match="no answer within"):
                connection.execute(text("SELECT 2"))
            begun = time.monotonic()
            for _ in range(20):
                with pytest.raises(OperationalError), brief.connect():
                    pass
            # Some were not let in within two seconds; the others did not try.
            assert time.monotonic() - begun < 20 * SHORT.connect / 2
    await_database(brief, within=10.0)
    with brief.connect() as connection:
        assert connection.scalar(text("SELECT 3")) == 3


def test_a_connection_that_was_silent_for_a_moment_is_asked_before_it_is_used(
    spare_postgres: SparePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to that may take as long as being let in, and not as long as a statement."""
    monkeypatch.setattr("store.connection.HEARD_SECONDS", 0.0)
    patient = make_engine(spare_postgres.url, TimeOuts(connect=2.0, statement=0.0))
    with patient.connect():
        pass
    with spare_postgres.frozen(), pytest.raises(OperationalError), patient.connect():
        pass
    patient.dispose()


def test_a_connection_that_has_just_answered_is_not_asked_but_where_the_server_hung_up(
    spare_postgres: SparePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.connection.HEARD_SECONDS", 3600.0)
    engine, other = make_engine(spare_postgres.url), make_engine(spare_postgres.url)
    with engine.connect() as connection:
        first = connection.scalar(text("SELECT pg_backend_pid()"))
    with engine.connect() as connection:
        asked_last = connection.scalar(text(f"SELECT query FROM pg_stat_activity WHERE pid = {first}"))
    assert "pg_stat_activity" in asked_last  # The same connection.
    with other.connect() as connection:
        assert connection.scalar(text(f"SELECT query FROM pg_stat_activity WHERE pid = {first}")) == "ROLLBACK"
        assert connection.scalar(text(f"SELECT pg_terminate_backend({first}, 10000)"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != first
    engine.dispose()
    other.dispose()


def test_a_process_may_have_many_files_open(spare_postgres: SparePostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one with a thousand streams has."""
    monkeypatch.setattr("store.connection.HEARD_SECONDS", 3600.0)
    engine = make_engine(spare_postgres.url)
    with ExitStack() as files:
        for _ in range(1024):
            files.enter_context(Path(os.devnull).open())
        for _ in range(2):
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "says"),
    [("SELECT pg_sleep(20)", "statement timeout"), ("LOCK TABLE searches IN ACCESS EXCLUSIVE MODE", "lock timeout")],
)
def test_the_server_ends_what_takes_long(brief: Engine, statement: str, says: str) -> None:
    with brief.connect() as holder, brief.connect() as waiting:
        holder.execute(text("LOCK TABLE searches IN ACCESS SHARE MODE"))
        with pytest.raises(OperationalError, match=says):
            waiting.execute(text(statement))


def idle(sessions: Sessions, *, patient: bool) -> int | None:
    with transaction(sessions) as session:
        if patient:
            be_patient(session)
        session.execute(text("LOCK TABLE searches IN ACCESS EXCLUSIVE MODE"))
        time.sleep(2 * IDLE_SECONDS)
        return session.scalar(text("SELECT 1"))


def test_a_transaction_of_a_stopped_process_holds_nothing_for_long(spare_postgres: SparePostgres) -> None:
    """An upload's may last as long as its unpacking takes."""
    engine = make_engine(spare_postgres.url, TimeOuts(idle=IDLE_SECONDS))
    sessions = make_sessions(engine)
    assert idle(sessions, patient=True) == 1
    with pytest.raises(Exception, match="idle"):
        idle(sessions, patient=False)
    with transaction(sessions) as session:
        session.execute(text("LOCK TABLE searches IN ACCESS EXCLUSIVE MODE"))
    engine.dispose()


def test_nor_does_one_of_a_machine_that_is_gone_in_the_middle_of_what_it_sent_at_once(
    spare_postgres: SparePostgres,
) -> None:
    """To the server it is not idle: it has not been told that this was all."""
    gone, other = make_engine(spare_postgres.url, SHORT), make_engine(spare_postgres.url)
    with gone.connect() as connection:
        assert connection.connection.dbapi_connection is not None
        sent = connection.connection.dbapi_connection.pgconn
        sent.enter_pipeline_mode()
        for statement in (b"BEGIN", b"SELECT pg_advisory_xact_lock(7)"):
            sent.send_query_params(statement, None)
        sent.send_flush_request()
        sent.flush()
        with other.connect() as waiting:
            waiting.execute(text("SELECT pg_advisory_xact_lock(7)"))
        connection.invalidate()
    gone.dispose()
    other.dispose()


def test_migrations_are_not_cut_short(spare_postgres: SparePostgres) -> None:
    engine = make_engine(spare_postgres.url, PATIENT)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
    with engine.connect() as connection:
        assert [connection.scalar(text(f"SHOW {name}")) for name in names] == ["0"] * 4
    engine.dispose()


def test_a_server_that_starts_is_waited_for(spare_postgres: SparePostgres) -> None:
    engine = make_engine(spare_postgres.url)
    with spare_postgres.away(), pytest.raises(OperationalError):
        await_database(engine, within=0.0)
    await_database(engine, within=60.0)
    engine.dispose()


def test_what_is_done_first_is_done_again_when_the_server_leaves_in_the_middle(spare_postgres: SparePostgres) -> None:
    engine, asked = make_engine(spare_postgres.url), 0

    def ask(connection: Connection) -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return asked

    assert once_reached(engine, ask, within=60.0) == 2
    engine.dispose()


def test_a_server_that_refuses_is_not_waited_for(spare_postgres: SparePostgres) -> None:
    begun = time.monotonic()
    engine = make_engine(spare_postgres.url.replace("/dna?", "/nowhere?"))
    with pytest.raises(OperationalError, match='database "nowhere" does not exist'):
        await_database(engine, within=600.0)
    assert time.monotonic() - begun < 300.0
    engine.dispose()
