"""The migrations build what the tables say, and can be undone."""

from __future__ import annotations

import os
import subprocess
import sys

from alembic import command
from sqlalchemy import inspect

from store.migrate import alembic_config, downgrade, upgrade
from store.session import make_engine
from store.tables import Base
from tests.store.builders import schema_is_current


def test_up_down_up(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    upgrade(empty_database_url)
    assert set(inspect(engine).get_table_names()) == set(Base.metadata.tables) | {"alembic_version"}
    assert schema_is_current(empty_database_url)
    downgrade(empty_database_url, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    assert not schema_is_current(empty_database_url)
    upgrade(empty_database_url)
    assert schema_is_current(empty_database_url)
    engine.dispose()


def test_processes_that_migrate_together_take_turns(empty_database_url: str) -> None:
    environment = {**os.environ, "DNA_DATABASE_URL": empty_database_url}
    commands = [subprocess.Popen([sys.executable, "-m", "store", "migrate"], env=environment) for _ in range(2)]
    assert [command.wait() for command in commands] == [0, 0]
    assert schema_is_current(empty_database_url)


def test_no_difference_between_tables_and_migrations(database_url: str) -> None:
    command.check(alembic_config(database_url))
