"""Commands on API keys by way of the database, which this machine can reach: the way to the first one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from dna_client.cli.options import AsJson, DataDir
from dna_client.cli.output import ERR, OUT, print_json, print_table
from dna_client.cli.service import HERE, need_service, run_to_end, servers_for_now
from dna_client.errors import LocalError
from dna_client.processes import python

KeyRef = Annotated[
    str,
    typer.Argument(
        help="Name or id of the key, the beginning or end of its id, or dna_ and its prefix.", metavar="KEY"
    ),
]
RunningJobs = Annotated[str | None, typer.Option(help="Most jobs that run at once; others wait.", metavar="N|none")]
QueuedJobs = Annotated[str | None, typer.Option(help="Most jobs that wait in the queue.", metavar="N|none")]
DeviceHours = Annotated[str | None, typer.Option(help="Most hours of devices in 30 days.", metavar="HOURS|none")]
Requests = Annotated[
    str | None, typer.Option("--requests-per-second", help="Most requests in a second.", metavar="N|none")
]
StoredBytes = Annotated[
    str | None,
    typer.Option(help="Most bytes of datasets, teachers and uploads, such as 10G.", metavar="BYTES|none"),
]
MostPriority = Annotated[
    str | None,
    typer.Option("--priority", help="The highest priority of its jobs.", metavar="low|normal|high|none"),
]

#: In the order of the options of commands.
_LIMITS = ("running-jobs", "queued-jobs", "device-hours", "requests-per-second", "stored-bytes", "priority")

_COLUMNS = ("id", "key", "project", "scopes", "use", "name")

key = typer.Typer(no_args_is_help=True, help="API keys of a service whose database this machine can reach.")


@key.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    scopes: Annotated[
        str, typer.Option(help="What it may do, joined by commas: read, run, admin; none includes another.")
    ] = "read,run",
    project: Annotated[
        str | None,
        typer.Option(
            help="Whose things it sees and makes; made where there is none. [default: a new one, called as the key]"
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="After what time it opens nothing, such as 12h, 90d or 8w.")
    ] = None,
    running_jobs: RunningJobs = None,
    queued_jobs: QueuedJobs = None,
    device_hours: DeviceHours = None,
    requests_per_second: Requests = None,
    stored_bytes: StoredBytes = None,
    priority: MostPriority = None,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It cannot be shown again. A limit that is not named is that of the settings, and none is no limit."""
    limits = (running_jobs, queued_jobs, device_hours, requests_per_second, stored_bytes, priority)
    said = {"scopes": scopes, "project": project, "expires": expires, **dict(zip(_LIMITS, limits, strict=True))}
    made = _key(data_dir, "create", *_options(said), "--", name)
    if as_json:
        print_json(made)
        return
    ERR.print(f"Key {made['id']} for {name}. Keep it now, it cannot be shown again:", markup=False)
    OUT.print(made["key"], markup=False)


@key.command()
def update(
    ref: KeyRef,
    name: Annotated[str | None, typer.Option(help="What to call it from now on.")] = None,
    scopes: Annotated[
        str | None, typer.Option(help="All that it may do from now on, joined by commas: read, run, admin.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="After what time from now it opens nothing, such as 12h, 90d or 8w; never: it lasts."),
    ] = None,
    running_jobs: RunningJobs = None,
    queued_jobs: QueuedJobs = None,
    device_hours: DeviceHours = None,
    requests_per_second: Requests = None,
    stored_bytes: StoredBytes = None,
    priority: MostPriority = None,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Change what is named of a key, in place of what it was; the rest stays. none takes a limit away."""
    need_service(data_dir)
    limits = (running_jobs, queued_jobs, device_hours, requests_per_second, stored_bytes, priority)
    said = {"name": name, "scopes": scopes, "expires": expires, **dict(zip(_LIMITS, limits, strict=True))}
    if not (options := _options(said)):
        raise LocalError(
            "Say what is to change: --name NAME, --scopes read,run, --expires 90d or never, or a limit, such as --running-jobs 2, "
            "or --running-jobs none to take it away."
        )
    _show(_key(data_dir, "update", *options, "--", ref), as_json=as_json)


def _options(said: Mapping[str, str | None]) -> list[str]:
    """Of what was said, as the store's command takes it."""
    return [f"--{option}={value}" for option, value in said.items() if value is not None]


@key.command("list")
def list_keys(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Every key with its limits, newest first."""
    need_service(data_dir)
    found = _key(data_dir, "list")
    if as_json:
        print_json(found)
        return
    rows = [(*_row(one)[:-1], ", ".join(f"{name} {most}" for name, most in _limits(one)), one["name"]) for one in found]
    columns = (*_COLUMNS[:-1], "limits", "name")
    print_table(columns, rows, ids=("id",), droppable=("key", "scopes", "use"))


@key.command()
def show(ref: KeyRef, data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """One key: its project, scopes, limits, and when it was used last."""
    need_service(data_dir)
    _show(_key(data_dir, "show", "--", ref), as_json=as_json)


@key.command()
def revoke(
    ref: KeyRef,
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Let a key open nothing from now on."""
    need_service(data_dir)
    found = _key(data_dir, "revoke", "--", ref)
    if as_json:
        print_json(found)
    else:
        ERR.print(f"Key {found['id']} of {found['name']} opens nothing from now on.", markup=False)


def _show(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_table(_COLUMNS, [_row(found)], ids=("id",), droppable=("key", "scopes"))
    if found["expires_at"]:
        end = datetime.fromisoformat(found["expires_at"]).astimezone(UTC)
        OUT.print(f"expires: {end:%Y-%m-%d %H:%M} UTC", markup=False)
    for name, most in _limits(found):
        OUT.print(f"{name}: {most}", markup=False)


def _limits(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Those that the key has, as people write them, in the order of the options."""
    limits = {name.replace("-", "_"): name.replace("-", " ") for name in _LIMITS}
    said = {name: most for name in limits if (most := found["limits"].get(name)) is not None}
    return [(limits[name], most if isinstance(most, str) else _number(most)) for name, most in said.items()]


def _number(most: float) -> str:
    return f"{int(most):,}" if most == int(most) else f"{most:,}"


def _row(found: Mapping[str, Any]) -> tuple[str, ...]:
    prefix, scopes = f"dna_{found['prefix']}_...", ",".join(found["scopes"])
    return (found["id"], prefix, found["project"], scopes, _use(found), found["name"])


def _use(found: Mapping[str, Any]) -> str:
    if found["revoked_at"]:
        return f"revoked {found['revoked_at'][:10]}"
    if found["expires_at"] and datetime.fromisoformat(found["expires_at"]) <= datetime.now().astimezone():
        return f"expired {found['expires_at'][:10]}"
    return f"used {found['last_used_at'][:10]}" if found["last_used_at"] else "never used"


def _key(data_dir: Path, action: str, *arguments: str) -> Any:
    """What the store's command answers. Migrates first: the very first key is made before a start on an open address."""
    with servers_for_now(data_dir) as environment:
        return json.loads(run_to_end(python("store", "key", "--migrate", action, "--json", *arguments), environment))
