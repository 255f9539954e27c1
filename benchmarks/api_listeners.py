"""Many streams of events on one process of the API: its memory, the time its health takes to be told, the delay of an event.

The listeners are bare sockets of one process; what they are sent is looked through for the events of the benchmark alone.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import psutil
from sqlalchemy import select

from benchmarks import report
from benchmarks.api_rows import tell
from store.session import Sessions, transaction
from store.states import JobState
from store.tables import Search

#: Between two events of a job.
EVENT_SECONDS = 1.0

#: A stream has begun once its headers have come.
_BEGUN = b"text/event-stream"


@dataclass
class Listener:
    """One stream: when each event of the benchmark came, by its number."""

    heard: dict[int, float] = field(default_factory=dict)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, url: str, headers: Mapping[str, str], path: str) -> None:
        """Reads until it is cancelled."""
        where = urlsplit(url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 16)
        said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\n{said}\r\n".encode())
        try:
            while line := await reader.readline():
                if _BEGUN in line:
                    self.begun.set()
                elif line.startswith(b"data: ") and b'"done": ' in line:
                    number = int(line.split(b'"done": ')[1].split(b",")[0])
                    self.heard.setdefault(number, time.perf_counter())
        finally:
            writer.close()


def listen(
    url: str,
    headers: Mapping[str, str],
    process: psutil.Process,
    sessions: Sessions,
    *,
    listeners: int,
    jobs: int,
    seconds: float,
) -> None:
    """Follows so many jobs with so many listeners while events flow, and prints a table."""
    with transaction(sessions) as session:
        unfinished = select(Search.id).where(Search.state == JobState.QUEUED).limit(jobs)
        followed = list(session.scalars(unfinished))
    before = process.memory_info().rss
    found = asyncio.run(_follow(url, headers, process, sessions, followed, listeners, seconds))
    print(
        f"{listeners:,} listeners to {len(followed)} jobs, an event of each every {EVENT_SECONDS:g} s for {seconds:g} s\n"
    )
    report.print_table(
        [
            "before, MB",
            "with all, MB",
            "/healthz median, ms",
            "p99, ms",
            "event to all, median, ms",
            "slowest, ms",
            "lost",
        ],
        [[f"{before / 1e6:.0f}", *found]],
    )


async def _follow(
    url: str,
    headers: Mapping[str, str],
    process: psutil.Process,
    sessions: Sessions,
    jobs: Sequence[UUID],
    count: int,
    seconds: float,
) -> list[str]:
    listeners = [Listener() for _ in range(count)]
    async with asyncio.TaskGroup() as tasks:
        streams = [
            tasks.create_task(listener.listen(url, headers, f"/searches/{jobs[place % len(jobs)]}/events?after=1"))
            for place, listener in enumerate(listeners)
        ]
        async with asyncio.timeout(60):
            await asyncio.gather(*(listener.begun.wait() for listener in listeners))
        told: dict[int, float] = {}
        healths: list[float] = []
        largest = 0
        end = time.perf_counter() + seconds
        async with httpx.AsyncClient() as client:
            while time.perf_counter() < end:
                number = len(told) + 1
                told[number] = time.perf_counter()
                await asyncio.to_thread(_tell_all, sessions, jobs, number)
                due = told[number] + EVENT_SECONDS
                while (now := time.perf_counter()) < due:
                    (await client.get(f"{url}/healthz")).raise_for_status()
                    healths.append(time.perf_counter() - now)
                    largest = max(largest, process.memory_info().rss)
                    await asyncio.sleep(0.02)
        await asyncio.sleep(2 * EVENT_SECONDS)
        for stream in streams:
            stream.cancel()
    delays = [max(listener.heard.get(number, at) for listener in listeners) - at for number, at in told.items()]
    lost = sum(number not in listener.heard for number in told for listener in listeners)
    figures = (
        statistics.median(healths),
        statistics.quantiles(healths, n=100)[-1],
        statistics.median(delays),
        max(delays),
    )
    return [f"{largest / 1e6:.0f}", *(f"{1000 * figure:.0f}" for figure in figures), str(lost)]


def _tell_all(sessions: Sessions, jobs: Sequence[UUID], number: int) -> None:
    for job_id in jobs:
        with transaction(sessions) as session:
            tell(session, job_id, number)
