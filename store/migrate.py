"""Brings a database to the current schema. Works from an installed package: the migrations travel in the wheel."""

from __future__ import annotations

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import migrations


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the migrations of this package and this database."""
    config = Config(attributes={"url": url})
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Runs the migrations that the database lacks, Optuna's after ours. Safe to call from several processes at once."""
    command.upgrade(alembic_config(url), revision)
    if revision == "head":
        from store import studies  # Optuna, a fifth of what those load who only ask which schema there is.

        studies.prepare(url)


def downgrade(url: str, revision: str) -> None:
    """Undoes the migrations after ``revision``; ``base`` undoes all."""
    command.downgrade(alembic_config(url), revision)


@cache
def head() -> str:
    """The schema that this code expects."""
    found = _scripts().get_current_head()
    assert found is not None
    return found


def is_current(connection: Connection) -> bool:
    """Whether the database has exactly the schema that this code expects."""
    return revision(connection) == head()


def revision(connection: Connection) -> str | None:
    """The migration that the database has come to; None without any. Not by Alembic, which logs two lines at each look."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def knows(revision: str) -> bool:
    """Whether this version has that migration."""
    return any(script.revision == revision for script in _scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(""))
