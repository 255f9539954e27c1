"""A Redis that dies and comes back, with what it had written to its log of writes."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import redis

from store.embedded_redis import redis_server
from tests.e2e.service import wait_for

SECONDS = 5.0


class StormRedis:
    """Runs inside the ``with`` block, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._again: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.url = self._stack.enter_context(redis_server(self._folder))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        if self._again:
            self._again.terminate()
            self._again.wait(SECONDS)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=SECONDS)

    def kill(self) -> None:
        with self.client() as client:
            server = psutil.Process(client.info("server")["process_id"])
        self._program = server.exe()
        server.kill()
        if self._again:
            self._again.wait(SECONDS)

    def start_again(self) -> None:
        self._again = subprocess.Popen([self._program, str(self._folder / "redis.conf")], start_new_session=True)
        wait_for(self._answers)

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
