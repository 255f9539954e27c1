"""The migrations build what the tables say, and can be undone."""

from __future__ import annotations

from alembic import command
from sqlalchemy import inspect

from store.migrate import alembic_config, downgrade, is_current, upgrade
from store.session import make_engine
from store.tables import Base


def test_up_down_up(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    upgrade(empty_database_url)
    assert set(inspect(engine).get_table_names()) == set(Base.metadata.tables) | {"alembic_version"}
    assert is_current(empty_database_url)
    downgrade(empty_database_url, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    assert not is_current(empty_database_url)
    upgrade(empty_database_url)
    assert is_current(empty_database_url)
    engine.dispose()


def test_no_difference_between_tables_and_migrations(database_url: str) -> None:
    command.check(alembic_config(database_url))
