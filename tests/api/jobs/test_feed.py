"""One look at the database tells everybody who listens, and nobody misses an event."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import anyio
import pytest
from anyio import to_thread
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from api.jobs import feed, stream
from api.resources import Resources, open_resources
from api.settings import ApiSettings
from store import events, flow, jobs
from store.events import NewEvent
from store.session import Sessions, transaction
from store.states import EventType
from tests.store.builders import new_search

LISTENERS = 30


@asynccontextmanager
async def listening(settings: ApiSettings) -> AsyncIterator[Resources]:
    """What the streams of a process have, for as long as the block runs."""
    with open_resources(settings, CollectorRegistry()) as resources:
        async with resources.feed.running():
            yield resources


async def told(resources: Resources, search_id: UUID, after: int = 0) -> list[int]:
    """The numbers of all events of a stream, to its end."""
    with transaction(resources.whole) as session:
        first = stream.read(session, search_id, after)
    return numbers_of([chunk async for chunk in stream.stream(resources, search_id, first)])


def numbers_of(chunks: list[bytes]) -> list[int]:
    """Of the events in pieces of a stream; comments have none."""
    return [int(number) for number in re.findall(rb"^id: (\d+)$", b"".join(chunks), re.MULTILINE)]


def log(sessions: Sessions, search_id: UUID, count: int) -> None:
    with transaction(sessions) as session:
        events.append(session, jobs.lock(session, search_id), [NewEvent(EventType.LOG, {"message": "x"})] * count)


def end(sessions: Sessions, search_id: UUID) -> None:
    with transaction(sessions) as session:
        flow.cancel(session, search_id)


@pytest.fixture
def search_id(sessions: Sessions) -> UUID:
    with transaction(sessions) as session:
        return new_search(session).id


@pytest.fixture
def reads(api_settings: ApiSettings) -> Iterator[list[str]]:
    """Statements that read events."""
    seen: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM events" in statement:
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    yield seen
    event.remove(Engine, "before_cursor_execute", count)


def test_many_listeners_read_as_often_as_one(
    api_settings: ApiSettings, sessions: Sessions, search_id: UUID, reads: list[str]
) -> None:
    counts: list[list[int]] = []

    async def main() -> None:
        async with listening(api_settings) as resources, anyio.create_task_group() as tasks:

            async def listen(after: int) -> None:
                counts.append([after, *await told(resources, search_id, after)])

            for number in range(LISTENERS):
                tasks.start_soon(listen, number % 2)
            await anyio.wait_all_tasks_blocked()
            while resources.feed.heard(search_id) is None:
                await anyio.sleep(0.01)
            reads.clear()
            for _ in range(5):
                seen = resources.feed.heard(search_id)
                await to_thread.run_sync(log, sessions, search_id, 3)
                while resources.feed.heard(search_id) == seen:
                    await anyio.sleep(0.01)
            await to_thread.run_sync(end, sessions, search_id)

    anyio.run(main)
    with transaction(sessions) as session:
        last = jobs.ends(session, [search_id])[search_id].seq
    assert len(counts) == LISTENERS
    for after, *numbers in counts:
        assert numbers == list(range(after + 1, last + 1))
    assert len(reads) <= 8


def test_a_listener_that_is_behind_reads_on_by_itself(
    api_settings: ApiSettings, sessions: Sessions, search_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many more events at once than are kept or read at once, while some listen from the beginning and some from the end."""
    monkeypatch.setattr(feed, "_KEPT", 5)
    for module in (feed, stream):
        monkeypatch.setattr(module, "BATCH", 7)
    log(sessions, search_id, 30)
    heard: dict[int, list[int]] = {}

    async def main() -> None:
        async with listening(api_settings) as resources, anyio.create_task_group() as tasks:

            async def listen(after: int) -> None:
                heard[after] = await told(resources, search_id, after)

            for after in (0, 10, 28, 31):
                tasks.start_soon(listen, after)
            for count in (1, 40, 2, 19):
                await to_thread.run_sync(log, sessions, search_id, count)
                await anyio.sleep(0.05)
            await to_thread.run_sync(end, sessions, search_id)

    anyio.run(main)
    with transaction(sessions) as session:
        last = jobs.ends(session, [search_id])[search_id].seq
    for after, numbers in heard.items():
        assert numbers == list(range(after + 1, last + 1))


@pytest.mark.parametrize("error", [OperationalError("SELECT", {}, Exception("gone")), ValueError("nobody foresaw it")])
def test_a_look_that_fails_ends_no_stream(
    api_settings: ApiSettings, sessions: Sessions, search_id: UUID, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real, failures = jobs.ends, iter(range(3))

    def fails(*arguments: Any) -> Any:
        if next(failures, None) is not None:
            raise error
        return real(*arguments)

    async def main() -> list[int]:
        numbers: list[int] = []
        async with listening(api_settings) as resources, anyio.create_task_group() as tasks:
            with transaction(sessions) as session:
                first = stream.read(session, search_id, 0)
            monkeypatch.setattr(jobs, "ends", fails)
            tasks.start_soon(to_thread.run_sync, end, sessions, search_id)
            numbers += numbers_of([chunk async for chunk in stream.stream(resources, search_id, first)])
        return numbers

    assert len(anyio.run(main)) == 4
    assert next(failures, None) is None


def test_a_deleted_search_ends_its_streams(api_settings: ApiSettings, sessions: Sessions, search_id: UUID) -> None:
    def delete() -> None:
        end(sessions, search_id)
        with transaction(sessions) as session:
            jobs.delete(session, search_id)

    async def main() -> None:
        async with listening(api_settings) as resources:
            with transaction(sessions) as session:
                first = stream.read(session, search_id, 0)
            with anyio.fail_after(60):
                async for _ in stream.stream(resources, search_id, first):
                    await to_thread.run_sync(delete)
            assert resources.feed.heard(search_id) is None

    anyio.run(main)


def test_a_number_beyond_the_last_event_follows_what_comes(
    api_settings: ApiSettings, sessions: Sessions, search_id: UUID
) -> None:
    async def main() -> list[int]:
        async with listening(api_settings) as resources, anyio.create_task_group() as tasks:
            tasks.start_soon(to_thread.run_sync, end, sessions, search_id)
            return await told(resources, search_id, 2**60)

    assert anyio.run(main) in ([2, 3, 4], []), "all that came after it was asked for, or nothing when all had come"


def test_a_long_past_is_told_in_few_pieces(api_settings: ApiSettings, sessions: Sessions, search_id: UUID) -> None:
    """Each piece is a write to a client who may have left: of one write an event, thousands went to nobody."""
    log(sessions, search_id, 1_200)
    end(sessions, search_id)

    async def main() -> list[bytes]:
        async with listening(api_settings) as resources:
            with transaction(sessions) as session:
                first = stream.read(session, search_id, 0)
            return [chunk async for chunk in stream.stream(resources, search_id, first)]

    chunks = [chunk for chunk in anyio.run(main) if not chunk.startswith(b":")]
    numbers = numbers_of(chunks)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 1_200
    assert len(chunks) <= 4
