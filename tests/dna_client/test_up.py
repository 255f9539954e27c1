"""``dna up`` as a process: starts everything, says where, stops everything, keeps the data."""

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
from typing import Any

import psutil
import pytest

from dna_client import Client
from dna_client.errors import ServiceFailed
from dna_client.up import Service, running_in

DNA = [sys.executable, "-m", "dna_client"]


def environment() -> dict[str, str]:
    """Without the servers of the tests: embedded ones are to be started."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DNA_")}


@contextmanager
def up(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The running command, and what it printed when it was ready."""
    command = [*DNA, "up", "--data-dir", str(folder), "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert line, process.communicate()[1]
            yield process, json.loads(line)
        finally:
            if process.poll() is None:
                process.kill()


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def dna(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DNA, *arguments], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )


@pytest.mark.slow
def test_starts_all_stops_all_and_keeps_the_data(tmp_path: Path) -> None:
    with up(tmp_path) as (process, where):
        with Client(where["url"]) as client:
            assert client.is_ready()
            assert client.workers()
            # Nobody works on it meanwhile: the budget of time of this test is small.
            search = client.create_search({"dataset": "digits", "labels": {"kept": "yes"}})
            client.cancel_search(search["id"])
        second = dna("up", "--data-dir", str(tmp_path), "--port", "0")
        assert second.returncode == 2
        assert f"already at {where['url']}" in second.stderr
        found = running_in(tmp_path)
        assert found is not None
        assert found.url == where["url"]
        key = json.loads(dna("key", "create", "me", "--data-dir", str(tmp_path), "--json").stdout)
        with Client(where["url"], key["key"]) as client:
            assert client.list_searches()["items"]
        started = descendants(process)
        assert len(started) >= 4
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert time.monotonic() - began < 12
        assert psutil.wait_procs(started, timeout=1)[1] == []
        assert running_in(tmp_path) is None
    with up(tmp_path) as (process, where):
        with Client(where["url"]) as client:
            assert [kept["id"] for kept in client.list_searches(labels={"kept": "yes"})["items"]] == [search["id"]]
        # Even a kill -9 leaves nothing that runs on, so that the next start finds its ports and files.
        started = descendants(process)
        process.kill()
        process.wait()
        assert psutil.wait_procs(started, timeout=15)[1] == []


@pytest.mark.slow
def test_uses_servers_that_are_given_and_says_which_process_ended(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNA_DATABASE_URL", database_url)
    monkeypatch.setenv("DNA_REDIS_URL", redis_url)
    with Service(tmp_path, port=0) as service:
        assert service.addresses.database_url == database_url
        assert not (tmp_path / "postgres").exists()
        assert service.check() == []
        api, worker = (child(name) for name in ("api", "worker"))
        api.kill()
        with pytest.raises(ServiceFailed, match="The API was ended by SIGKILL") as ended:
            look_after(service)
        assert "Uvicorn running" in ended.value.message
    assert psutil.wait_procs([worker], timeout=1)[1] == []


def look_after(service: Service) -> None:
    while True:
        service.check()
        time.sleep(0.05)


def child(module: str) -> psutil.Process:
    return next(found for found in psutil.Process().children() if found.cmdline()[-2:] == ["-m", module])


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = dna("up", "--data-dir", str(tmp_path), "--port", str(port))
    assert refused.returncode == 2
    assert f"port {port}" in refused.stderr
    assert "--port 0" in refused.stderr
    assert not (tmp_path / "postgres").exists()
