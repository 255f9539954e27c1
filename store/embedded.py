"""A real PostgreSQL and a real Redis inside a data folder, from pip wheels: for one machine, and for the tests.

Both keep their data between starts. Servers that outlived a killed owner are taken over or stopped.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from store.embedded_postgres import postgres
from store.embedded_redis import redis_server
from store.errors import FolderInUse


@dataclass(frozen=True)
class Servers:
    """Where the two servers listen: ``database_url`` for ``DNA_DATABASE_URL``, ``redis_url`` for ``DNA_REDIS_URL``."""

    database_url: str
    redis_url: str


@contextmanager
def embedded_servers(folder: Path, *, within: float = 0.0, keep: bool = False) -> Iterator[Servers]:
    """Starts both servers in ``folder``, stops both at the end of the block.

    Args:
        within: seconds that another process may still take to leave the folder; the servers of a killed ``dna up`` are about to.
        keep: a server that ends by itself inside the block is started again.

    Raises:
        FolderInUse: another process runs the servers of this folder.
        StoreError: a server does not start; the message says why.
    """
    folder = folder.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        _exclusive(folder, within),
        postgres(folder / "postgres", "dna", keep=keep) as database_url,
        redis_server(folder / "redis", keep=keep) as redis_url,
    ):
        yield Servers(database_url, redis_url)


@contextmanager
def _exclusive(folder: Path, within: float) -> Iterator[None]:
    """Two owners of one folder would stop each other's servers. The lock goes away with its process."""
    deadline = time.monotonic() + within
    with (folder / "servers.lock").open("a+") as lock:
        while not _locked(lock):
            if time.monotonic() > deadline:
                lock.seek(0)
                owner = lock.read().strip() or "unknown"
                raise FolderInUse(f"{folder} is in use by process {owner}. Stop it, or choose another DNA_DATA_DIR.")
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
