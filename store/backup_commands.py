"""``python -m store backup | backups | restore``: what they take from the command line, and what they say."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from store import restore
from store.backup import take
from store.backup_place import Place
from store.blobs import BlobStore
from store.connection import PATIENT
from store.errors import StoreError
from store.session import await_database, make_engine
from store.settings import Settings


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands, on a parser's."""
    backup = commands.add_parser("backup", help="copy database and stored files of a service that may go on running")
    backup.add_argument("--keep", type=_at_least_one, metavar="N", help="delete all backups there but the newest N")
    listing = commands.add_parser("backups", help="list the backups at a place, the oldest first")
    restoring = commands.add_parser(
        "restore", help="put a backup into the empty database of DNA_DATABASE_URL and the store of DNA_ARTIFACTS_URL"
    )
    restoring.add_argument("--name", help="which one, such as 20261127T041817Z (default: the newest)")
    restoring.add_argument(
        "--without-webhooks", action="store_true", help="disable all webhooks: for a copy beside the service"
    )
    for parser in (backup, listing, restoring):
        parser.add_argument("place", help="folder, or fsspec URL such as s3://bucket/backups")


def run(chosen: argparse.Namespace, settings: Settings) -> None:
    """Runs the chosen command.

    Raises:
        StoreError: it could not be done, or not wholly; says why.
    """
    place = Place(chosen.place)
    if chosen.command == "backups":
        print(json.dumps([asdict(backup) for backup in place.all()], indent=2))
        return
    engine = make_engine(settings.database, PATIENT)
    try:
        await_database(engine, within=settings.database_start_seconds)
        blobs = BlobStore(settings.artifacts)
        if chosen.command == "backup":
            found = take(engine, settings.database, blobs, place, keep=chosen.keep)
        else:
            webhooks = not chosen.without_webhooks
            found = restore.restore(engine, settings.database, blobs, place, chosen.name, webhooks=webhooks)
    finally:
        engine.dispose()
    print(json.dumps(asdict(found), indent=2))
    if found.missing and chosen.command == "backup":
        raise StoreError(
            f"{len(found.missing)} stored files are damaged or gone, such as {found.missing[0]}: the backup is without them, and whole "
            "otherwise. The log of the workers names their jobs."
        )


def _at_least_one(value: str) -> int:
    number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError("keep 1 at least")
    return number
