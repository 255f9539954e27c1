"""Commands that run the service, or act on its database, on this machine: up, api, worker, migrate, key."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dna_client import processes, servers
from dna_client.cli.options import AsJson, DataDir
from dna_client.cli.output import ERR, OUT, print_json
from dna_client.errors import LocalError
from dna_client.processes import python
from dna_client.up import Service, running_in, servers_of

HERE = Path("dna-data")

service = typer.Typer()
key = typer.Typer(no_args_is_help=True, help="API keys of a service whose database this machine can reach.")


@service.command()
def up(
    data_dir: DataDir = HERE,
    host: Annotated[str, typer.Option(help="Address to listen on; any but a loopback one needs keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the API; 0 takes a free one.", min=0, max=65535)] = 8000,
    as_json: AsJson = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C: PostgreSQL, Redis, the API and a worker."""
    with processes.interrupt_on_signals():
        try:
            with Service(data_dir, host=host, port=port) as started:
                _say_where(started, as_json=as_json)
                while True:
                    show_trouble(started)
                    time.sleep(0.5)
        except KeyboardInterrupt:
            ERR.print("Stopped. The data is kept.")


def show_trouble(started: Service) -> None:
    """Prints the warnings and errors that the processes have logged since the last time.

    Raises:
        ServiceFailed: a process has ended.
    """
    for line in started.check():
        ERR.print(Text(line, "yellow"))


def _say_where(started: Service, *, as_json: bool) -> None:
    found = started.addresses
    if as_json:
        where = {"url": found.url, "database_url": found.database_url, "redis_url": found.redis_url}
        print_json({**where, "data_dir": str(started.data_dir), "logs": str(started.logs)}, one_line=True)
        return
    OUT.print(f"API       {found.url}\nDocs      {found.url}/docs\nDatabase  {found.database_url}", markup=False)
    OUT.print(f"Redis     {found.redis_url}\nLogs      {started.logs}", markup=False)
    OUT.print("Ready. Ctrl-C stops all of it.")


@service.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def api(context: typer.Context, data_dir: DataDir = HERE) -> None:
    """Run the API alone; further options go to it (--host, --port). Servers: DNA_DATABASE_URL and DNA_REDIS_URL, or dna up's."""
    _become("api", data_dir, context.args)


@service.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker(context: typer.Context, data_dir: DataDir = HERE) -> None:
    """Run one worker, beside those of dna up or of a deployment; further options go to it."""
    _become("worker", data_dir, context.args)


@service.command()
def migrate(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Bring the database to the schema of this version."""
    with servers_of(data_dir) as environment:
        done = subprocess.run(python("store", "migrate"), env=environment, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    if as_json:
        print_json({"migrated": True})


@key.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")], data_dir: DataDir = HERE, as_json: AsJson = False
) -> None:
    """Make a key and print it. It cannot be shown again."""
    _key(data_dir, ["create", name], as_json=as_json)


@key.command("list")
def list_keys(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Every key, newest first."""
    _key(data_dir, ["list"], as_json=as_json)


@key.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key.", metavar="ID")],
    data_dir: DataDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Let a key open nothing from now on."""
    _key(data_dir, ["revoke", key_id], as_json=as_json)


def _key(data_dir: Path, arguments: list[str], *, as_json: bool) -> None:
    """Migrates first: the very first key of a service is made before its first start on an open address."""
    command = python("store", "key", *arguments, *(["--json"] if as_json else []))
    with servers_of(data_dir) as environment:
        for step in (python("store", "migrate"), command):
            done = subprocess.run(step, env=environment, check=False)
            if done.returncode:
                raise typer.Exit(done.returncode)


def _become(module: str, data_dir: Path, arguments: list[str]) -> None:
    """This process turns into the server, so that signals reach it and nothing stands between."""
    environment = dict(os.environ)
    if len(servers.given()) < len(servers.NAMES):
        addresses = running_in(data_dir)
        if addresses is None:
            raise LocalError(
                f"Set DNA_DATABASE_URL and DNA_REDIS_URL, or start everything with dna up. (None runs in {data_dir}.)"
            )
        environment |= {"DNA_DATABASE_URL": addresses.database_url, "DNA_REDIS_URL": addresses.redis_url}
        environment["DNA_DATA_DIR"] = str(data_dir.expanduser().resolve())
    command = python(module, *arguments)
    os.execve(command[0], command, environment)
