"""Redis is killed, comes back, and forgets everything: searches go on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import redis

from dna_engine.plans import Kind
from store.embedded_redis import redis_server
from store.settings import Settings
from store.states import StepState
from tests.chaos.conftest import Book
from tests.e2e.service import machine, wait_for


def test_nothing_is_lost(book: Book, impatient: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    with redis_server(folder) as url, machine(impatient.model_copy(update={"redis_url": url}), queues="gpu"):
        first = book.add()
        wait_for(book.reached(first, Kind.TEACHER, 1))
        with redis.Redis.from_url(url) as client:
            server = psutil.Process(client.info("server")["process_id"])
        program = server.exe()
        server.kill()
        # The step that runs needs no Redis, and its follower and another search wait in the outbox.
        second = book.add()
        wait_for(lambda: book.state(first, Kind.TEACHER) == StepState.SUCCEEDED)
        assert book.state(first, "distill-1") == StepState.QUEUED
        again = subprocess.Popen([program, str(folder / "redis.conf")])
        wait_for(lambda: book.state(first, "distill-1") != StepState.QUEUED)
        with redis.Redis.from_url(url) as client:
            wait_for(lambda: client.llen("gpu") > 0)
            client.flushall()
        wait_for(lambda: book.state(second, Kind.TEACHER) != StepState.QUEUED)
    again.terminate()
    again.wait()
