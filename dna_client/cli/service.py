"""Commands that run the service on this machine, or act on its database: up, api, worker, serve, migrate."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer
from rich.text import Text

from dna_client import processes, servers
from dna_client.cli.options import LOCAL, AsJson, DataDir
from dna_client.cli.output import ERR, OUT, print_json
from dna_client.errors import LocalError
from dna_client.pages import front
from dna_client.processes import python
from dna_client.up import Addresses, Service, is_there, running_in, servers_of

HERE = Path("dna-data")

service = typer.Typer()


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
            with Service(data_dir, host=host, port=port, tell=tell) as started:
                _say_where(started, as_json=as_json)
                while True:
                    show_trouble(started)
                    time.sleep(0.5)
        except KeyboardInterrupt:
            ERR.print("Stopped. The data is kept.")


def tell(line: str) -> None:
    """Says what is being done, beside the results."""
    ERR.print(line, markup=False)


def show_trouble(started: Service) -> None:
    """Prints the warnings and errors that the processes have logged since the last time.

    Raises:
        ServiceFailed: a process has ended.
    """
    for line in started.check():
        ERR.print(Text(line, "yellow"))


def _say_where(started: Service, *, as_json: bool) -> None:
    found = replace(
        started.addresses,
        database_url=without_password(started.addresses.database_url),
        redis_url=without_password(started.addresses.redis_url),
    )
    if as_json:
        print_json({**asdict(found), "data_dir": str(started.data_dir), "logs": str(started.logs)}, one_line=True)
    else:
        OUT.print(welcome(found, started.logs), markup=False)


def welcome(where: Addresses, logs: Path) -> str:
    """Where everything is, and what to do first."""
    url_option = "" if where.url == LOCAL else f" --url {where.url}"
    return f"""\
Ready. Ctrl-C stops all of it.

Dashboard {front(where.url)}
API       {where.url}
Docs      {where.url}/docs
Database  {where.database_url}
Redis     {where.redis_url}
Logs      {logs}

Try, in another terminal:
  dna search create{url_option} --dataset digits --watch"""


def without_password(url: str) -> str:
    """The address of a server without the secret in it: this is printed, and what is printed is kept in logs."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    _, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{place}"))


@service.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def api(context: typer.Context, data_dir: DataDir = HERE) -> None:
    """Run the API alone; further options go to it (--host, --port). Servers: DNA_DATABASE_URL and DNA_REDIS_URL, or dna up's."""
    _become("api", data_dir, context.args)


@service.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker(context: typer.Context, data_dir: DataDir = HERE) -> None:
    """Run one worker, beside those of dna up or of a deployment; further options go to it.

    Those are --devices all, cpu or 0,1, --devices-per-step, --queues gpu,cpu and --concurrency (nodes of the queue cpu).
    """
    _become("worker", data_dir, context.args)


@service.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(
    context: typer.Context,
    networks: Annotated[
        list[str],
        typer.Argument(
            help="An .onnx file, a bundle.zip or the folder of a download; or SEARCH/winner, SEARCH/control, the name or id of a "
            "training, an id of a network. NAME=NETWORK serves it under that name.",
            metavar="NETWORK...",
        ),
    ],
    data_dir: DataDir = HERE,
) -> None:
    """Serve networks to clients of the Open Inference Protocol (REST and gRPC), several side by side; options go to the server.

    Those are --port, --grpc-port, --host, --precision fp32 or int8 (both by saying it twice), --max-batch and --threads.
    """
    servers_of_it = {} if servers.names_database() else _running_servers(data_dir)
    _turn_into(python("serving", *networks, *context.args), {**os.environ, **servers_of_it})


@service.command()
def migrate(data_dir: DataDir = HERE, as_json: AsJson = False) -> None:
    """Bring the database to the schema of this version."""
    need_service(data_dir)
    with servers_for_now(data_dir) as environment:
        run_to_end(python("store", "migrate"), environment)
    if as_json:
        print_json({"migrated": True})


def need_service(data_dir: Path) -> None:
    """Raises LocalError: there is none in the folder, and to look at one is no reason to make one."""
    if not is_there(data_dir):
        raise LocalError(
            f"There is no service in {data_dir}. Name its folder with --data-dir, set DNA_DATABASE_URL, or start a new one "
            "with dna up."
        )


@contextmanager
def servers_for_now(data_dir: Path) -> Iterator[dict[str, str]]:
    """Those of :func:`servers_of`; where they have to be started for it, says so."""
    if not servers.names_database() and running_in(data_dir) is None:
        tell(f"Starting PostgreSQL and Redis in {data_dir} for as long as this takes ...")
    with servers_of(data_dir) as environment:
        yield environment


def run_to_end(command: list[str], environment: Mapping[str, str]) -> str:
    """What the command prints.

    Raises:
        LocalError: it refused, in its own words.
    """
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode == LocalError.exit_code:
        raise LocalError(done.stderr.strip())
    ERR.print(done.stderr, end="", markup=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    return done.stdout


def _become(module: str, data_dir: Path, arguments: list[str]) -> None:
    """This process turns into the server, so that signals reach it and nothing stands between."""
    environment = dict(os.environ)
    if len(servers.given()) < len(servers.NAMES):
        found = _running_servers(data_dir)
        if not found:
            raise LocalError(
                f"Set DNA_DATABASE_URL and DNA_REDIS_URL, or start everything with dna up. (None runs in {data_dir}.)"
            )
        environment |= found | servers.given()
    _turn_into(python(module, *arguments), environment)


def _running_servers(data_dir: Path) -> dict[str, str]:
    """What tells a process of the service that runs in the folder; nothing where none does."""
    addresses = running_in(data_dir)
    if addresses is None:
        return {}
    folder = str(data_dir.expanduser().resolve())
    return {"DNA_DATABASE_URL": addresses.database_url, "DNA_REDIS_URL": addresses.redis_url, "DNA_DATA_DIR": folder}


def _turn_into(command: list[str], environment: Mapping[str, str]) -> None:
    os.execve(command[0], command, dict(environment))
