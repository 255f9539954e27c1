"""``python -m store key create | list | show | revoke``: keys by way of the database, the way to the first one."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
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


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the actions to ``python -m store key``."""
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key and print it; it cannot be shown again")
    create.add_argument("name", help="whose it is, for the list")
    create.add_argument("--scopes", default=",".join(keys.USUAL), help="what it may do: read, run, admin, by commas")
    create.add_argument("--project", help="whose things it sees and makes; by default a new one, called as the key")
    create.add_argument("--expires", help="after this it opens nothing: 12h, 90d, 8w")
    for name, field in Limits.model_fields.items():
        written = str if name == "priority" else _number
        create.add_argument(f"--{name.replace('_', '-')}", type=written, help=field.description)
    for action, help_ in (("revoke", "a key opens nothing from now on"), ("show", "one key")):
        actions.add_parser(action, help=help_).add_argument(
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
            row, secret = keys.create(
                session,
                chosen.name,
                project=chosen.project,
                scopes=_scopes(chosen.scopes),
                expires_at=_end(clock(session), chosen.expires) if chosen.expires else None,
                limits=_limits(chosen, settings.key_limits),
            )
            return [row], {"key": secret}
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


def _number(written: str) -> float:
    whole = count(written)
    return float(written) if whole is None else whole


def _scopes(written: str) -> list[Scope]:
    try:
        return [Scope(scope.strip()) for scope in written.split(",")]
    except ValueError as error:
        raise StoreError(f"Scopes are {', '.join(Scope)}, joined by commas, not {written!r}.") from error


def _end(now: datetime, span: str) -> datetime:
    if not (match := _SPAN.fullmatch(span)) or int(match[1]) == 0:
        raise StoreError(f"Write after what time it expires as 12h, 90d or 8w, not {span!r}.")
    return now + timedelta(**{_UNITS[match[2]]: int(match[1])})


def _limits(chosen: argparse.Namespace, usual: Limits) -> Limits:
    said = {name: value for name in Limits.model_fields if (value := getattr(chosen, name)) is not None}
    try:
        return Limits.model_validate(usual.model_dump() | said)
    except ValidationError as error:
        first = error.errors()[0]
        raise StoreError(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}.") from error


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {key['revoked_at'][:19]}"
    if key["expires_at"] and datetime.fromisoformat(key["expires_at"]) <= datetime.now().astimezone():
        return f"expired {key['expires_at'][:19]}"
    return f"used {key['last_used_at'][:19]}" if key["last_used_at"] else "never used"
