"""Databases that tests have one after another: as good as new, or gone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from store.session import make_engine, make_sessions, transaction
from tests.databases import Databases
from tests.store.builders import new_tuning, new_worker


def asked(url: str, *statements: str) -> list[Any]:
    """What each of them gives; nothing that gives no rows."""
    engine = make_engine(url, pool_size=1)
    with engine.begin() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        found = [result.scalars().all() if result.returns_rows else None for result in results]
    engine.dispose()
    return found


def test_what_one_has_left_the_next_does_not_find(databases: Databases) -> None:
    """Nor is anybody connected who was, nor does the old name lead anywhere."""
    rows = [
        f"SELECT count(*) FROM {table}"
        for table in ("jobs", "steps", "events", "workers", "projects", "optuna.studies")
    ]
    identity = "SELECT nextval(pg_get_serial_sequence('optuna.studies', 'study_id'))"
    with databases.new() as first:
        before = asked(first, *rows, identity)
        staying = make_engine(first, pool_size=1)
        with transaction(make_sessions(staying)) as session:
            new_worker(session)
            new_tuning(session)
        asked(first, "INSERT INTO projects (id, name) VALUES (gen_random_uuid(), 'another')")
        left = staying.connect()
        assert all(now > then for [now], [then] in zip(asked(first, *rows[:5]), before[:5], strict=True))
    with databases.new() as second:
        assert asked(second, *rows, identity) == before
        with pytest.raises(OperationalError, match="does not exist"):
            asked(first, "SELECT 1")
        with pytest.raises(OperationalError):
            left.execute(text("SELECT 1"))
    left.close()
    staying.dispose()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE jobs ADD COLUMN colour text",
        "DROP INDEX {index}",
        "DELETE FROM projects",
        "CREATE SCHEMA other",
    ],
)
def test_one_that_is_not_what_it_was_is_dropped(databases: Databases, change: str) -> None:
    with databases.new() as first:
        [indexes] = asked(first, "SELECT indexname FROM pg_indexes WHERE tablename = 'jobs'")
        asked(first, change.format(index=next(name for name in indexes if not name.startswith("pk"))))
    with databases.new() as second:
        [columns] = asked(second, "SELECT column_name FROM information_schema.columns WHERE table_name = 'jobs'")
        [again] = asked(second, "SELECT indexname FROM pg_indexes WHERE tablename = 'jobs'")
        [projects] = asked(second, "SELECT name FROM projects ORDER BY name")
        [schemas] = asked(second, "SELECT nspname FROM pg_namespace WHERE nspname = 'other'")
        assert "colour" not in columns
        assert sorted(again) == sorted(indexes)
        assert (projects, schemas) == (["built-in", "default"], [])
