"""The whole service on one machine: PostgreSQL and Redis in the data folder, the API and a worker, as one.

Servers given by ``DNA_DATABASE_URL`` and ``DNA_REDIS_URL`` are used instead of embedded ones. One service at a time runs in
a data folder; while it does, ``up.json`` there holds its addresses for other commands.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import httpx

from dna_client import processes, servers
from dna_client.errors import LocalError, ServiceFailed
from dna_client.processes import Child, python

START_SECONDS = 60.0

#: What the worker and the API take to leave, beside the engine's time for its checkpoint (DNA_STOP_GRACE_SECONDS).
STOP_SECONDS = 6.0

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class Addresses:
    """Where a running service is: ``url`` of the API, and the servers behind it."""

    url: str
    database_url: str
    redis_url: str


class Service:
    """The service in ``data_dir``, from the start of a ``with`` block to its end.

    Args:
        port: of the API; 0 takes a free one.
        tell: is told what is being started, a line for each.

    Raises:
        LocalError: the folder is in use or cannot be written, or the port is taken.
        ServiceFailed: a process does not start; says which and why.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.addresses = Addresses("", "", "")
        self._host, self._port, self._tell = host, port, tell
        self._watched: list[Child] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start(self._open)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        with processes.uninterrupted():
            self._open.close()

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    def check(self) -> list[str]:
        """Warnings and errors that the processes have logged since the last call, each with the process's name.

        Raises:
            ServiceFailed: a process has ended.
        """
        said = [f"{child.name}: {line}" for child in self._watched for line in child.news()]
        for child in self._watched:
            child.check()
        return said

    def _start(self, opened: ExitStack) -> None:
        """What is opened later is closed first: the API and the worker need the servers to say goodbye."""
        lock = opened.enter_context(_claimed(self.data_dir))
        port = _free_port(self._host, self._port)
        environment = self._environment(opened, port)
        self._tell("Bringing the database to this version's schema ...")
        self._migrate(environment)
        opened.callback(self._stop_processes)
        for name, module in (("API", "api"), ("worker", "worker")):
            self._tell(f"Starting the {name} ...")
            self._watched.append(processes.start(name, python(module), self.logs / f"{module}.log", environment))
        host = _EVERYWHERE.get(self._host, self._host)
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.addresses = Addresses(url, *(environment[name] for name in servers.NAMES))
        self._tell("Waiting until the API answers and the worker is ready ...")
        self._await_ready()
        _publish(lock, self.addresses)

    def _environment(self, opened: ExitStack, port: int) -> dict[str, str]:
        found = servers.given()
        if found:
            self._tell(
                f"Using what {' and '.join(found)} in the environment {'names' if len(found) == 1 else 'name'} ..."
            )
        if len(found) < len(servers.NAMES):
            self._tell(f"Starting PostgreSQL and Redis in {self.data_dir} ...")
            child, started = opened.enter_context(servers.embedded(self.data_dir))
            self._watched.append(child)
            found = started | found
        return {
            "DNA_LOG_FORMAT": "console",  # People read the logs that lie in the folder.
            **os.environ,
            **found,
            "DNA_DATA_DIR": str(self.data_dir),
            "DNA_EMBEDDED": "true",
            "DNA_API_HOST": self._host,
            "DNA_API_PORT": str(port),
            "PYTHONUNBUFFERED": "1",
            # The worker's own processes too look for modules in this installation only.
            "PYTHONSAFEPATH": "1",
        }

    def _stop_processes(self) -> None:
        grace = float(os.environ.get("DNA_STOP_GRACE_SECONDS", "4"))
        ours = [child for child in self._watched if child.name in ("API", "worker")]
        processes.stop(ours, within=grace + STOP_SECONDS)
        self._watched.clear()

    def _migrate(self, environment: Mapping[str, str]) -> None:
        done = subprocess.run(
            python("store", "migrate"), env=dict(environment), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServiceFailed(f"The database could not be migrated: {done.stderr.strip()}")

    def _await_ready(self) -> None:
        """Until requests can be served and a worker is there to do what they ask for."""
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(self.addresses.url):
            self.check()
            if time.monotonic() > deadline:
                words = "\n".join(child.last_words() for child in self._watched)
                raise ServiceFailed(f"The service was not ready within {START_SECONDS:.0f} seconds.\n{words}")
            time.sleep(0.1)


def running_in(data_dir: Path) -> Addresses | None:
    """Addresses of the service that runs in this data folder; None when none does.

    Raises:
        LocalError: one starts or stops there, and has no addresses yet or any more.
    """
    path = data_dir.expanduser().resolve() / "up.json"
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        text = path.read_text()
        if not text:
            raise LocalError(
                f"The service in {data_dir} is starting or stopping. Try again when dna up says Ready, or has ended."
            ) from None
        found = json.loads(text)
        return Addresses(found["url"], found["database_url"], found["redis_url"])
    return None


def is_there(data_dir: Path) -> bool:
    """Whether a service keeps its data in this folder, or the environment names its database."""
    return servers.names_database() or (data_dir.expanduser() / "postgres").is_dir()


@contextmanager
def servers_of(data_dir: Path) -> Iterator[dict[str, str]]:
    """The environment with the servers of this data folder, for a command beside ``dna up`` or before it.

    Those the environment names, those of the service that runs in the folder, or embedded ones started for the block. Where it names
    Redis alone, that is used beside the folder's PostgreSQL, as by ``dna up``.
    """
    if servers.names_database():
        yield dict(os.environ)
    elif addresses := running_in(data_dir):
        own = {"DNA_DATABASE_URL": addresses.database_url, "DNA_REDIS_URL": addresses.redis_url}
        yield {**os.environ, **own, **servers.given()}
    else:
        with servers.embedded(data_dir.expanduser().resolve()) as (_, started):
            yield {**os.environ, **started, **servers.given()}


@contextmanager
def _claimed(data_dir: Path) -> Iterator[TextIO]:
    """The folder's ``up.json``, locked by this process, for its owner's eyes only; empty again at the end."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "up.json", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalError(f"The data folder {data_dir} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = file.read()
            where = f" at {json.loads(text)['url']} (process {json.loads(text)['pid']})" if text else ""
            raise LocalError(
                f"A service runs in {data_dir} already{where}. Use it, stop it, or choose another folder with --data-dir."
            ) from error
        file.truncate(0)
        yield file
        file.truncate(0)


def _publish(lock: TextIO, addresses: Addresses) -> None:
    lock.seek(0)
    json.dump({"pid": os.getpid(), **asdict(addresses)}, lock)
    lock.flush()


def _free_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LocalError(
                f"The API cannot listen on {host}, port {port}: {error.strerror}. "
                "Choose another with --port; --port 0 takes a free one."
            ) from error
        return int(probe.getsockname()[1])


def _is_ready(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/readyz", timeout=2.0)
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json()["redis"] and answer.json()["workers"] > 0
