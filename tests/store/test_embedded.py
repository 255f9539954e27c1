"""The servers from the wheels: they keep their data, stop cleanly, and survive a killed owner."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from store.embedded import Servers, embedded_servers
from store.embedded_redis import redis_server
from store.errors import FolderInUse
from store.session import make_engine


def write(servers: Servers, value: str) -> None:
    engine = make_engine(servers.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS kept (value text)"))
        connection.execute(text("INSERT INTO kept VALUES (:value)"), {"value": value})
    engine.dispose()
    with redis.Redis.from_url(servers.redis_url) as client:
        client.rpush("kept", value)


def read(servers: Servers) -> tuple[list[str], list[str]]:
    engine = make_engine(servers.database_url)
    with engine.connect() as connection:
        rows = list(connection.scalars(text("SELECT value FROM kept ORDER BY value")))
    engine.dispose()
    with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
        return rows, client.lrange("kept", 0, -1)


OWNER = """
import sys, time
from pathlib import Path
from store.embedded import embedded_servers
with embedded_servers(Path(sys.argv[1])) as servers:
    print(servers.database_url, servers.redis_url, flush=True)
    time.sleep(60)
"""


def test_data_outlives_a_restart_and_a_killed_owner(data_folder: Path) -> None:
    folder = data_folder / ("deep" * 30)
    with embedded_servers(folder) as first:
        write(first, "1")
        with pytest.raises(FolderInUse, match=str(os.getpid())), embedded_servers(folder):
            pass
    assert (folder / "redis" / "url").stat().st_mode & 0o077 == 0
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    killed = Servers(*owner.stdout.readline().split())
    write(killed, "2")
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    with embedded_servers(folder) as last:
        assert read(last) == (["1", "2"], ["1", "2"])
        with redis.Redis.from_url(last.redis_url, decode_responses=True) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
    with redis.Redis.from_url(last.redis_url) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_pid_that_went_to_another_program(data_folder: Path) -> None:
    """The pid of a dead PostgreSQL may belong to any program by now; it is neither waited for nor ended."""
    folder = data_folder
    with embedded_servers(folder):
        pidfile = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (folder / "postgres" / "postmaster.pid").write_text("\n".join([str(other.pid), *pidfile[1:]]) + "\n")
    with embedded_servers(folder) as servers:
        write(servers, "1")
        assert read(servers) == (["1"], ["1"])
    assert other.poll() is None
    other.kill()
    other.wait()


@contextmanager
def owner(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Servers]]:
    command = [sys.executable, "-m", "store", "servers", "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, Servers(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def test_servers_that_end_by_themselves_are_started_again(data_folder: Path) -> None:
    """As PostgreSQL does when its disk is full."""
    with owner(data_folder) as (process, servers):
        write(servers, "1")
        killed = [child for child in psutil.Process(process.pid).children() if "redis" in child.name()]
        killed.append(psutil.Process(int((data_folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])))
        assert len(killed) == 2
        for server in killed:
            server.kill()
        deadline = time.monotonic() + 60.0
        while True:
            try:
                write(servers, "2")
                break
            except (OperationalError, redis.RedisError):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert read(servers)[0][0] == "1"


def test_what_a_killed_owner_left_half_made_or_leaving(data_folder: Path) -> None:
    """A database that was being made, and servers that are still being stopped while the next owner comes."""
    (data_folder / ".postgres.new").mkdir()
    (data_folder / ".postgres.new" / "PG_VERSION").write_text("18")
    with owner(data_folder) as (first, servers):
        write(servers, "1")
        first.terminate()
        with owner(data_folder) as (_, servers):
            assert read(servers) == (["1"], ["1"])


def test_redis_keeps_its_address_as_long_as_it_can(tmp_path: Path) -> None:
    """A worker that was started beside it knows no other."""
    with redis_server(tmp_path / "redis") as first, redis.Redis.from_url(first) as client:
        assert client.set("a", "b")
    with redis_server(tmp_path / "redis") as again:
        assert again == first
    port = urlsplit(first).port
    assert port is not None
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with redis_server(tmp_path / "redis") as elsewhere, redis.Redis.from_url(elsewhere) as client:
            assert urlsplit(elsewhere).port != port
            assert client.get("a") == b"b"
