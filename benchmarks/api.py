"""What the HTTP service costs beside a bare FastAPI route over the same rows, by wrk; and what many listeners cost it.

Both run as they do in production, in one process each with the same settings of uvicorn, on one database. The service looks at
a key, at whose the rows are and at what is asked for; the bare route (``benchmarks/api_bare.py``) executes one statement. Both
sides take turns, so that whatever else the machine does meets both; the seconds that the server's process has computed for a
request are counted beside it, which are its alone.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import torch
from sqlalchemy.orm import Session

from benchmarks import report
from benchmarks.api_listeners import listen
from benchmarks.api_rows import filled, populate
from store import keys

START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """Where it listens, what it is asked with, and its process."""

    url: str
    headers: Mapping[str, str]
    process: psutil.Process

    def cpu(self) -> float:
        """Seconds that it has computed."""
        return float(sum(self.process.cpu_times()[:2]))


@dataclass
class Side:
    """A path of one of the servers, and what each turn has found: requests a second, times in ms, CPU in ms a request."""

    name: str
    server: Server
    path: str
    rates: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    worst: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def turn(self, seconds: float, connections: int) -> None:
        """Has wrk ask for so long.

        Raises:
            SystemExit: some answer was not a success.
        """
        before = self.server.cpu()
        headers = [part for name, value in self.server.headers.items() for part in ("-H", f"{name}: {value}")]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", *headers]
        said = subprocess.run(
            [*command, self.server.url + self.path], check=True, capture_output=True, text=True
        ).stdout
        if "Non-2xx" in said or "Socket errors" in said or " 0 requests in" in said:
            sys.exit(f"{self.name} {self.path} failed:\n{said}")
        self.rates.append(float(_found(r"Requests/sec:\s+([\d.]+)", said)))
        self.medians.append(_milliseconds(_found(r"\n\s+50%\s+(\S+)", said)))
        self.worst.append(_milliseconds(_found(r"\n\s+99%\s+(\S+)", said)))
        self.cpu.append(1000 * (self.server.cpu() - before) / int(_found(r"(\d+) requests in", said)))

    def row(self, baseline: Side, size: int) -> list[str]:
        """Ratios are medians of those of the turns."""
        ratio, worst, cpu = (
            statistics.median(own / its for own, its in zip(mine, theirs, strict=True))
            for mine, theirs in (
                (self.rates, baseline.rates),
                (self.worst, baseline.worst),
                (self.cpu, baseline.cpu),
            )
        )
        rate, median, p99, spent = map(statistics.median, (self.rates, self.medians, self.worst, self.cpu))
        figures = (
            f"{rate:.0f}",
            f"{ratio:.2f}",
            f"{median:.1f}",
            f"{p99:.1f}",
            f"{worst:.2f}",
            f"{spent:.2f}",
            f"{cpu:.2f}",
        )
        return ["list" if "?" in self.path else "one search", self.name, f"{size:,}", *figures]


COLUMNS = [
    "path",
    "side",
    "bytes",
    "requests/s",
    "of bare",
    "median, ms",
    "p99, ms",
    "of bare",
    "CPU, ms a request",
    "of bare",
]


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    if arguments.rounds and not shutil.which("wrk"):
        sys.exit("wrk is not installed, and nothing else here makes requests as fast. Install it (apt install wrk).")
    report.print_header("api", torch.device("cpu"))

    def rows(session: Session) -> tuple[UUID, str]:
        finished = populate(session, arguments.searches)
        return finished, keys.create(session, "benchmark", project="default")[1]

    with filled(rows) as (folder, servers, sessions, (finished, key)):
        settings = {
            "DNA_DATABASE_URL": servers.database_url,
            "DNA_REDIS_URL": servers.redis_url,
            "DNA_DATA_DIR": str(folder),
        }
        with service(folder, settings, key) as server:
            if arguments.rounds:
                with bare(folder, servers.database_url) as plain:
                    paths = (f"/searches/{finished}", f"/searches?limit={arguments.limit}")
                    compare(server, plain, paths, arguments)
            if arguments.listeners:
                listen(
                    server.url,
                    server.headers,
                    server.process,
                    sessions,
                    listeners=arguments.listeners,
                    jobs=arguments.jobs,
                    seconds=arguments.listening_seconds,
                )


def compare(server: Server, plain: Server, paths: tuple[str, ...], arguments: argparse.Namespace) -> None:
    """Rounds of both, and a table."""
    sides = [
        [
            Side("bare", plain, path),
            Side("bare, JSON by PostgreSQL", plain, f"/written{path}"),
            Side("service", server, path),
        ]
        for path in paths
    ]
    for pair in sides:
        for side in pair:
            side.turn(min(1.0, arguments.seconds), arguments.connections)
            side.__init__(side.name, side.server, side.path)  # type: ignore[misc]
    for _ in range(arguments.rounds):
        for pair in sides:
            for side in pair:
                side.turn(arguments.seconds, arguments.connections)
    print(
        f"{arguments.connections} connections, {arguments.rounds} rounds of {arguments.seconds:g} s for each, {arguments.searches} searches\n"
    )
    report.print_table(COLUMNS, [side.row(pair[0], _size(side)) for pair in sides for side in pair])


def _size(side: Side) -> int:
    return len(httpx.get(side.server.url + side.path, headers=dict(side.server.headers)).content)


@contextmanager
def service(folder: Path, settings: Mapping[str, str], key: str) -> Iterator[Server]:
    """The API as in production: with keys, in a process of its own."""
    with _process(folder / "api.log", ["-m", "api"], settings) as (url, process):
        yield Server(url, {"Authorization": f"Bearer {key}"}, process)


@contextmanager
def bare(folder: Path, database_url: str) -> Iterator[Server]:
    with _process(folder / "bare.log", ["-m", "benchmarks.api_bare", database_url], {}) as (url, process):
        yield Server(url, {}, process)


@contextmanager
def _process(log: Path, command: list[str], settings: Mapping[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """A server on a free port, once it answers anything at all."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--port", str(port)] if command == ["-m", "api"] else [str(port)]
    with (
        log.open("w") as out,
        subprocess.Popen(
            [sys.executable, *command, *where], stdout=out, stderr=out, env=os.environ | settings
        ) as process,
    ):
        try:
            _await_answer(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    sys.exit(f"A server did not start:\n{log.read_text()}")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]


def _milliseconds(text: str) -> float:
    """Of wrk's ``850.00us``, ``1.25ms`` or ``1.02s``."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="of both sides; 0: no comparison")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn of each side")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--limit", type=int, default=50, help="of the list")
    parser.add_argument("--listeners", type=int, default=1000, help="streams of events; 0: none")
    parser.add_argument("--jobs", type=int, default=10, help="that they follow")
    parser.add_argument("--listening-seconds", type=float, default=20.0)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
