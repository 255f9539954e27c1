"""``python -m api`` as a process, and what keeps it from starting."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from api.__main__ import main
from api.settings import ApiSettings
from tests.postgres import SparePostgres


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """``main`` sends the lines of its process to standard error, which of a test is closed behind it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def environment(api_settings: ApiSettings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The settings as variables, and no others of the service."""
    for name in [name for name in os.environ if name.startswith("DNA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DNA_DATABASE_URL", str(api_settings.database_url))
    monkeypatch.setenv("DNA_REDIS_URL", str(api_settings.redis_url))
    monkeypatch.setenv("DNA_DATA_DIR", str(api_settings.data_dir))
    return monkeypatch


def test_it_serves_until_it_is_told_to_stop(environment: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "api", "--port", "0", "--embedded"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = iter(process.stderr.readline, "")
        url = next(found[0] for line in said if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with httpx.Client(base_url=url) as client:
            assert client.get("/healthz").json() == {"status": "ok"}
            search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
            # A stream that is open does not keep the service from stopping, and is not cut off: it ends as an answer does.
            with client.stream("GET", f"/searches/{search}/events") as response:
                lines = response.iter_lines()
                next(lines)
                process.send_signal(signal.SIGTERM)
                *_, last = lines
                assert last == "", "the end of an event"
                assert process.wait(60) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize(
    ("arguments", "variable", "says"),
    [
        (["--host", "0.0.0.0"], None, "dna key create"),
        (["--host", "0.0.0.0", "--embedded"], None, "dna key create"),
        ([], ("DNA_DATABASE_URL", "postgresql://dna@127.0.0.1:1/dna"), "does not answer"),
        ([], ("DNA_API_PORT", "99999"), "65535"),
        ([], ("DNA_DATABASE_URL", ""), "dna up"),
    ],
)
def test_what_keeps_it_from_starting(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    variable: tuple[str, str] | None,
    says: str,
) -> None:
    environment.setenv("DNA_DATABASE_START_SECONDS", "0")
    if variable is not None:
        environment.setenv(*variable)
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_a_schema_that_is_behind_keeps_it_from_starting(
    environment: pytest.MonkeyPatch, empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("DNA_DATABASE_URL", empty_database_url)
    assert main([]) == 2
    assert "dna migrate" in capsys.readouterr().err


def test_it_waits_for_a_database_that_starts(environment: pytest.MonkeyPatch, spare_postgres: SparePostgres) -> None:
    environment.setenv("DNA_DATABASE_URL", spare_postgres.url)
    command = [sys.executable, "-m", "api", "--port", "0", "--embedded"]
    with spare_postgres.away():
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = iter(process.stderr.readline, "")
        assert any("Waiting up to 60 s for the database" in line for line in said)
    try:
        assert any("Uvicorn running" in line for line in said)
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
