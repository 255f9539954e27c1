"""``dna up`` as a process: starts everything, says where, stops everything, keeps the data."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from dna_client import Client
from dna_client.cli.options import LOCAL
from dna_client.cli.service import welcome, without_password
from dna_client.errors import ServiceFailed
from dna_client.up import Addresses, Service, running_in, servers_of
from tests.dna_client.conftest import Answer, Dna
from tests.e2e.service import alive, wait_for

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


@pytest.fixture
def dna(dna_here: Dna, monkeypatch: pytest.MonkeyPatch) -> Dna:
    """The command in this process, without the servers of the tests too."""
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    return dna_here


def first_key(folder: Path, dna: Dna) -> str:
    """The first key makes a service; nothing that looks at one does. Returns the key, which is called ``others``."""
    for command in (("key", "list"), ("migrate",)):
        refused = dna(*command, "--data-dir", str(folder))
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith(f"error: There is no service in {folder}.")
    assert not folder.exists()
    made = dna("key", "create", "others", "--data-dir", str(folder))
    assert made.out.startswith("dna_")
    assert f"Starting PostgreSQL and Redis in {folder} for as long as this takes ..." in made.err
    return made.out.strip()


def use_keys(folder: Path, url: str, others: str, dna: Dna) -> None:
    """Keys of a service that runs, one of which sees the project that everything belongs to without a key. More of them: tests/store/test_key_commands.py."""

    def key(*arguments: str) -> Answer:
        return dna("key", *arguments, "--data-dir", str(folder))

    options = (
        "--project",
        "default",
        "--scopes",
        "read",
        "--expires",
        "90d",
        "--queued-jobs",
        "3000",
        "--priority",
        "low",
    )
    mine = key("create", "me", *options, "--json").json
    limits = {"queued_jobs": 3000, "priority": "low"}
    assert (mine["project"], mine["scopes"], mine["limits"]) == ("default", ["read"], limits)
    assert {"queued jobs: 3,000", "priority: low"} <= set(key("show", "me").out.splitlines())
    assert "never used  queued jobs 3,000, priority low  me" in key("list").out
    changed = key("update", "me", "--priority", "none", "--running-jobs", "2", "--name", "mine").out.splitlines()
    assert {"queued jobs: 3,000", "running jobs: 2"} <= set(changed)
    assert not [line for line in changed if line.startswith("priority")]
    assert key("update", "mine", "--expires", "never", "--name", "me", "--json").json == {
        **{field: value for field, value in mine.items() if field != "key"},
        "expires_at": None,
        "limits": {"queued_jobs": 3000, "running_jobs": 2},
    }
    assert "--running-jobs none" in key("update", "me").err
    assert key("revoke", "you").err.endswith("error: There is no key you.\n")
    with Client(url, mine["key"]) as client:
        assert client.list_searches()["items"]
    with Client(url, others) as client:
        assert not client.list_searches()["items"]
    assert key("revoke", "others", "--json").json["revoked_at"]


def kill_while_it_starts(folder: Path) -> None:
    """Even a kill -9 leaves nothing that runs on, so that the next start finds its ports and files."""
    command = [*DNA, "up", "--data-dir", str(folder), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stderr is not None
        assert any(line.startswith("Waiting until the API answers") for line in process.stderr)
        started = descendants(process)
        process.kill()
    assert len(started) >= 4
    wait_for(lambda: not any(map(alive, started)))


@pytest.mark.slow
def test_starts_all_stops_all_and_keeps_the_data(data_folder: Path, dna: Dna) -> None:
    folder = data_folder / "new"
    others = first_key(folder, dna)
    with up(folder) as (process, where):
        with Client(where["url"]) as client:
            assert client.workers()
            # Nobody works on it meanwhile: the budget of time of this test is small.
            client.cancel_search(client.create_search({"dataset": "digits"})["id"])
        second = dna("up", "--data-dir", str(folder), "--port", "0")
        assert second.code == 2
        assert f"already at {where['url']}" in second.err
        found = running_in(folder)
        assert found is not None
        assert found.url == where["url"]
        secret = urlsplit(found.redis_url).password
        assert secret is not None
        assert secret not in json.dumps(where)
        assert where["redis_url"] == found.redis_url.replace(secret, "***")
        use_keys(folder, where["url"], others, dna)
        started = descendants(process)
        assert len(started) >= 4
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1].splitlines()
        assert process.returncode == 0
        assert said[0] == f"Starting PostgreSQL and Redis in {folder} ..."
        assert "Starting the worker ..." in said
        assert said[-1] == "Stopped. The data is kept."
        wait_for(lambda: not any(map(alive, started)))
        assert running_in(folder) is None
    kill_while_it_starts(folder)
    # There is a service, though it does not run, with all that it had.
    [_, *kept] = dna("key", "list", "--data-dir", str(folder)).out.splitlines()
    assert [line.split()[-1] for line in kept] == ["me", "others"]


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
        assert "route=/readyz" in ended.value.message
    wait_for(lambda: not alive(worker))


def test_says_where_it_is_and_what_to_try() -> None:
    said = welcome(Addresses(LOCAL, "postgresql://db/dna", "redis://cache"), Path("logs"))
    assert f"Dashboard {LOCAL}/\n" in said
    assert f"Docs      {LOCAL}/docs\n" in said
    assert said.endswith("dna search create --dataset digits --watch")
    elsewhere = welcome(Addresses("http://127.0.0.1:81", "", ""), Path("logs"))
    assert elsewhere.endswith("dna search create --url http://127.0.0.1:81 --dataset digits --watch")


def test_a_service_that_starts_is_neither_used_nor_taken_for_none(tmp_path: Path, dna: Dna) -> None:
    """Its servers' folder is taken already, its addresses are not known yet: other commands say so, and start nothing beside it."""
    (tmp_path / "postgres").mkdir()
    with (tmp_path / "up.json").open("w") as claimed:
        fcntl.flock(claimed, fcntl.LOCK_EX)
        for command in (("key", "list"), ("worker",), ("doctor",)):
            refused = dna(*command, "--data-dir", str(tmp_path))
            assert (refused.code, refused.out) == (2, "")
            assert refused.err == (
                f"error: The service in {tmp_path} is starting or stopping. Try again when dna up says Ready, or has ended.\n"
            )


def test_a_server_that_the_environment_names_goes_before_that_of_the_folder(
    tmp_path: Path, dna: Dna, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[Mapping[str, str]] = []
    monkeypatch.setattr(os, "execve", lambda _path, _command, environment: became.append(environment))
    monkeypatch.setenv("DNA_REDIS_URL", "redis://elsewhere/0")
    with (tmp_path / "up.json").open("w") as claimed:
        json.dump({"url": LOCAL, "database_url": "postgresql:///dna", "redis_url": "redis://here/0"}, claimed)
        claimed.flush()
        fcntl.flock(claimed, fcntl.LOCK_EX)
        assert dna("worker", "--data-dir", str(tmp_path)).code == 0
        with servers_of(tmp_path) as found:
            assert found["DNA_REDIS_URL"] == "redis://elsewhere/0"
    assert became[0]["DNA_REDIS_URL"] == "redis://elsewhere/0"
    assert became[0]["DNA_DATABASE_URL"] == found["DNA_DATABASE_URL"] == "postgresql:///dna"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://dna:s%40cret@db:5432/dna?sslmode=require", "postgresql://dna:***@db:5432/dna?sslmode=require"),
        ("redis://:secret@[::1]:6379/0", "redis://:***@[::1]:6379/0"),
        ("postgresql+psycopg://postgres@/dna?host=%2Ftmp", "postgresql+psycopg://postgres@/dna?host=%2Ftmp"),
        ("redis://cache/0", "redis://cache/0"),
    ],
)
def test_no_password_is_printed(url: str, shown: str) -> None:
    assert without_password(url) == shown


def look_after(service: Service) -> None:
    while True:
        service.check()
        time.sleep(0.05)


def child(module: str) -> psutil.Process:
    return next(found for found in psutil.Process().children() if found.cmdline()[-2:] == ["-m", module])


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path, dna: Dna) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = dna("up", "--data-dir", str(tmp_path), "--port", str(port))
    assert refused.code == 2
    assert f"port {port}" in refused.err
    assert "--port 0" in refused.err
    assert not (tmp_path / "postgres").exists()
