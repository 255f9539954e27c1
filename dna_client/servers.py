"""PostgreSQL and Redis for commands on this machine: those the environment names, those that run, or embedded ones."""

from __future__ import annotations

import json
import os
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dna_client import processes
from dna_client.errors import ServiceFailed
from dna_client.processes import Child, python

START_SECONDS = 60.0
STOP_SECONDS = 15.0

#: The two variables that name servers to every process of the service.
NAMES = ("DNA_DATABASE_URL", "DNA_REDIS_URL")


def given() -> dict[str, str]:
    """Those of the two variables that the environment sets."""
    return {name: os.environ[name] for name in NAMES if os.environ.get(name)}


def names_database() -> bool:
    """Whether the environment says where the service's rows are: another place than the data folder."""
    return "DNA_DATABASE_URL" in given()


@contextmanager
def embedded(data_dir: Path) -> Iterator[tuple[Child, dict[str, str]]]:
    """Both servers in the data folder for as long as the block lasts: their process, and the variables that name them.

    Raises:
        ServiceFailed: they do not start; says why.
    """
    command = python("store", "servers", "--data-dir", str(data_dir))
    child = processes.start(
        "process of PostgreSQL and Redis", command, data_dir / "logs" / "servers.log", os.environ, piped=True
    )
    try:
        urls = json.loads(_first_line(child))
        yield child, {"DNA_DATABASE_URL": urls["database_url"], "DNA_REDIS_URL": urls["redis_url"]}
    finally:
        processes.stop([child], within=STOP_SECONDS)
        assert child.process.stdout is not None
        child.process.stdout.close()


def _first_line(child: Child) -> str:
    assert child.process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(child.process.stdout, selectors.EVENT_READ)
        spoke = selector.select(START_SECONDS)
    text = child.process.stdout.readline().decode() if spoke else ""
    if text:
        return text
    if spoke:  # It closed its output without a word: it is about to end.
        child.process.wait()
        child.check()
    raise ServiceFailed(f"PostgreSQL and Redis did not start in {START_SECONDS:.0f} seconds. {child.last_words()}")
