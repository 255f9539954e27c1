"""``python -m store key create | update | list | show | revoke``: keys by way of the database, the way to the first one."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from dna_engine.spec.count import count
from store import keys, projects
from store.errors import StoreError
from store.limits import Limits, Scope
from store.session import clock, make_engine, make_sessions, transaction
from store.settings import Settings
from store.tables import ApiKey

_SPAN = re.compile(r"(\d{1,5})(h|d|w)")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}

#: How ends and limits are written that are none.
_NEVER, _NO_LIMIT = "never", "none"


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the actions to ``python -m store key``."""
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key and print it; it cannot be shown again")
    create.add_argument("name", help="whose it is, for the list")
    create.add_argument("--scopes", default=",".join(keys.USUAL), help="what it may do: read, run, admin, by commas")
    create.add_argument("--project", help="whose things it sees and makes; by default a new one, called as the key")
    update = actions.add_parser("update", help="change what is named of a key; the rest of it stays")
    update.add_argument("--name", help="what to call it from now on")
    update.add_argument("--scopes", help="all that it may do from now on: read, run, admin, by commas")
    for each in (create, update):
        each.add_argument("--expires", help=f"after this it opens nothing: 12h, 90d, 8w; {_NEVER}: it lasts")
        for name, field in Limits.model_fields.items():
            each.add_argument(f"--{name.replace('_', '-')}", help=f"{field.description} {_NO_LIMIT}: no limit.")
    for action, help_ in (("revoke", "a key opens nothing from now on"), ("show", "one key")):
        actions.add_parser(action, help=help_)
    for action in ("update", "revoke", "show"):
        actions.choices[action].add_argument(
            "id", help="its id, or the beginning or end of it; its name; or dna_ and its prefix"
        )
    actions.add_parser("list", help="every key, newest first")
    for each in actions.choices.values():
        each.add_argument("--json", action="store_true", dest="as_json")


def run(chosen: argparse.Namespace, url: str, settings: Settings) -> None:
    """Does what was chosen, and prints what came of it.

    Raises:
        StoreError: something is to be said otherwise.
    """
    engine = make_engine(url, pool_size=1)
    try:
        with transaction(make_sessions(engine)) as session:
            rows, secret = _act(session, chosen, settings)
            shown = described(session, rows)
    finally:
        engine.dispose()
    if chosen.as_json:
        print(json.dumps(shown if chosen.action == "list" else shown[0] | secret, indent=2))
    elif chosen.action == "create":
        print(f"Key {shown[0]['id']} for {chosen.name}. Keep it now, it cannot be shown again:", file=sys.stderr)
        print(secret["key"])
    else:
        for key in shown:
            print(f"{key['id']}  dna_{key['prefix']}_...  {_state(key)}  {key['name']}  {key['project']}")


def _act(session: Session, chosen: argparse.Namespace, settings: Settings) -> tuple[list[ApiKey], dict[str, str]]:
    match chosen.action:
        case "create":
            scopes = _scopes(chosen.scopes)
            row, secret = keys.create(
                session,
                chosen.name,
                project=chosen.project,
                scopes=scopes,
                expires_at=None if chosen.expires is None else _end(clock(session), chosen.expires),
                limits=_limits(settings.key_limits(scopes), _limits_said(chosen)),
            )
            return [row], {"key": secret}
        case "update":
            return [_update(session, chosen, settings)], {}
        case "revoke":
            return [keys.revoke(session, keys.find(session, chosen.id).id)], {}
        case "show":
            return [keys.find(session, chosen.id)], {}
    return keys.everyone(session), {}


def described(session: Session, rows: Sequence[ApiKey]) -> list[dict[str, Any]]:
    """What is said of keys."""
    of = projects.names(session, {row.project_id for row in rows})
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    return [
        {
            "id": str(row.id),
            "name": row.name,
            "project": of[row.project_id],
            "prefix": row.prefix,
            "scopes": row.scopes,
            "limits": row.limits,
            **{name: time.isoformat() if (time := getattr(row, name)) else None for name in times},
        }
        for row in rows
    ]


def _update(session: Session, chosen: argparse.Namespace, settings: Settings) -> ApiKey:
    """The key with what was said put over it."""
    limits = _limits_said(chosen)
    if chosen.name is None and chosen.scopes is None and chosen.expires is None and not limits:
        raise StoreError("Say what is to change: --name, --scopes, --expires, or a limit such as --running-jobs.")
    if chosen.name is not None and not chosen.name.strip():
        raise StoreError("--name: a key has a name, by which it is found again.")
    row = keys.find(session, chosen.id)
    if row.revoked_at is not None:
        raise StoreError(f"The key {row.id} ({row.name}) was revoked, which is for good. Make another one.")
    row.name = chosen.name or row.name
    if chosen.scopes is not None:
        keys.allow(row, _scopes(chosen.scopes), settings.key_limits)
    if chosen.expires is not None:
        row.expires_at = _end(clock(session), chosen.expires)
    if limits:
        keys.limit(session, row, _limits(Limits.model_validate(row.limits), limits))
    return row


def _scopes(written: str) -> list[Scope]:
    try:
        return [Scope(scope.strip()) for scope in written.split(",")]
    except ValueError as error:
        raise StoreError(f"Scopes are {', '.join(Scope)}, joined by commas, not {written!r}.") from error


def _end(now: datetime, span: str) -> datetime | None:
    if span == _NEVER:
        return None
    if not (match := _SPAN.fullmatch(span)) or int(match[1]) == 0:
        raise StoreError(f"Write after what time it expires as 12h, 90d or 8w, or {_NEVER}, not {span!r}.")
    return now + timedelta(**{_UNITS[match[2]]: int(match[1])})


def _limits_said(chosen: argparse.Namespace) -> dict[str, str]:
    return {name: said for name in Limits.model_fields if (said := getattr(chosen, name)) is not None}


def _limits(usual: Limits, said: Mapping[str, str]) -> Limits:
    """The usual ones with those that were said in their place."""
    try:
        return Limits.model_validate(usual.model_dump() | {name: _read(written) for name, written in said.items()})
    except ValidationError as error:
        first = error.errors()[0]
        option = f"--{str(first['loc'][0]).replace('_', '-')}"
        raise StoreError(f"{option}: {first['msg']}; {_NO_LIMIT} is no limit.") from error


def _read(written: str) -> float | str | None:
    """What was written of a limit: a number where it is one, which may be too large to hold; None for no limit."""
    if written == _NO_LIMIT:
        return None
    if (whole := count(written)) is not None:
        return whole
    try:
        number = float(written)
    except ValueError:
        return written
    return number if math.isfinite(number) else written


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {key['revoked_at'][:19]}"
    if key["expires_at"] and datetime.fromisoformat(key["expires_at"]) <= datetime.now().astimezone():
        return f"expired {key['expires_at'][:19]}"
    return f"used {key['last_used_at'][:19]}" if key["last_used_at"] else "never used"
