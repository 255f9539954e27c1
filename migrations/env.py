"""Runs migrations over one connection, in one transaction, one process at a time.

The URL comes from the caller (``store.migrate``), from ``-x url=...``, or from ``DNA_DATABASE_URL``, in this order.
"""

from __future__ import annotations

from logging.config import fileConfig
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from store.columns import Base, CheckedJson, CheckedText
from store.connection import PATIENT
from store.session import make_engine
from store.settings import Settings

#: Under which processes that start together take turns; any number nobody else uses.
LOCK = 0x444E41


def database_url() -> str:
    """The URL to migrate.

    Raises:
        SystemExit: none was given.
    """
    given = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True).get("url")
    url = given or Settings().database_url
    if not url:
        raise SystemExit("No database. Set DNA_DATABASE_URL, or pass -x url=postgresql://...")
    return str(url)


def plain_type(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Migrations name PostgreSQL's types, not our wrappers, so that old ones outlive changes of the wrappers."""
    if kind == "type" and isinstance(item, CheckedText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, CheckedJson):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return "postgresql.JSONB()"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=plain_type,
        compare_server_default=True,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        context.run_migrations()


if "url" not in context.config.attributes and context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name)
engine = make_engine(database_url(), PATIENT, pool_size=1)
try:
    with engine.connect() as connection:
        migrate(connection)
finally:
    engine.dispose()
