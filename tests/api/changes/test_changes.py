"""One stream tells what changes in all jobs, to each who may see it, and nothing is missed after its greeting."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest
from anyio import to_thread
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from api.changes import stream, watch
from api.changes.schemas import ChangeKind
from api.changes.watch import Audience
from api.resources import Resources, open_resources
from api.settings import ApiSettings
from dna_engine.events import Metric, Progress
from store import changes, flow, jobs, keys
from store.events import NewEvent, append
from store.session import Sessions, clock, transaction
from store.states import EventType
from tests.api.conftest import serving
from tests.api.jobs.test_stream import parse
from tests.store.builders import new_search, new_worker, next_id

EVERYTHING = Audience(None, frozenset(ChangeKind))


@pytest.fixture
def api_settings(api_settings: ApiSettings) -> ApiSettings:
    return api_settings.model_copy(update={"changes_seconds": 0.05})


@pytest.fixture
def server(api_settings: ApiSettings) -> Iterator[httpx.Client]:
    with serving(api_settings) as client:
        yield client


def told(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream, comments left out."""
    return (said for said in parse(response.iter_lines()) if "event" in said)


def until(events: Iterator[dict[str, Any]], job_id: str, state: str) -> list[dict[str, Any]]:
    """What is told of the job up to that state."""
    seen = []
    for said in events:
        if said["data"].get("id") == job_id:
            seen.append(said["data"])
            if said["data"]["state"] == state:
                return seen
    raise AssertionError(f"It ended before {job_id} was {state}: {seen}")


def test_the_life_of_a_search_is_told_to_its_deletion(server: httpx.Client) -> None:
    before = server.post("/searches", json={"dataset": "digits"}).json()["id"]
    with server.stream("GET", "/changes") as response, httpx.Client(base_url=server.base_url) as other:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = told(response)
        assert next(events) == {"event": "hello", "data": {"ping_seconds": 0.3}}
        search = other.post("/searches", json={"dataset": "digits"}).json()
        [made] = until(events, search["id"], "queued")
        assert made == {
            "kind": "search", "id": search["id"], "state": "queued", "phase": "teacher", "progress": 0.0, "eta_seconds": search["eta_seconds"],
        }  # fmt: skip
        other.patch(f"/searches/{before}", json={"name": "b"}, headers={"content-type": "application/merge-patch+json"})
        assert until(events, before, "queued"), "a new name is a change"
        other.post(f"/searches/{search['id']}/cancel")
        until(events, search["id"], "cancelled")
        other.delete(f"/searches/{search['id']}")
        [gone] = until(events, search["id"], "deleted")
        assert gone["phase"] is gone["progress"] is gone["eta_seconds"] is None


def test_only_the_kinds_that_are_asked_for_are_told(server: httpx.Client) -> None:
    with (
        server.stream("GET", "/changes", params={"kind": ["training", "dataset"]}) as response,
        httpx.Client(base_url=server.base_url) as other,
    ):
        events = told(response)
        assert next(events)["event"] == "hello"
        other.post("/searches", json={"dataset": "digits"})
        body = {"dataset": "digits", "architecture": "dna-a"}
        training = other.post("/trainings", json=body).json()["id"]
        first = next(events)["data"]
        assert (first["kind"], first["id"]) == ("training", training)
        sent = other.post("/datasets", files={"file": ("x.zip", b"no archive")})
        assert sent.status_code == 202, sent.text
        dataset = sent.json()["id"]
        assert until(events, dataset, "queued")[0]["kind"] == "dataset"
        assert other.delete(f"/datasets/{dataset}").status_code == 204
        until(events, dataset, "deleted")


def test_other_kinds_are_refused(shared: TestClient) -> None:
    assert shared.get("/changes", params={"kind": "check"}).status_code == 422


def test_a_key_hears_of_its_own_project_until_it_ends(server: httpx.Client, sessions: Sessions) -> None:
    with transaction(sessions) as session:
        made = {name: keys.create(session, name) for name in ("mine", "theirs")}
        key_id = made["mine"][0].id
    mine, theirs = ({"authorization": f"Bearer {made[name][1]}"} for name in ("mine", "theirs"))
    with (
        server.stream("GET", "/changes", headers=mine) as response,
        server.stream("GET", "/changes") as admins,
        httpx.Client(base_url=server.base_url) as other,
    ):
        events, all_events = told(response), told(admins)
        assert next(events)["event"] == next(all_events)["event"] == "hello"
        foreign, own = (
            other.post("/searches", json={"dataset": "digits"}, headers=by).json()["id"] for by in (theirs, mine)
        )
        assert next(events)["data"]["id"] == own
        until(all_events, foreign, "queued")
        with transaction(sessions) as session:
            keys.get(session, key_id).revoked_at = clock(session)
        assert list(events) == [], "it ends, and tells nothing more"
        other.post(f"/searches/{foreign}/cancel", headers=theirs)
        until(all_events, foreign, "cancelled")


def run(settings: ApiSettings, main: Callable[[Resources], Awaitable[None]]) -> None:
    """Runs with the resources of a process that watches."""

    async def whole() -> None:
        with open_resources(settings, CollectorRegistry()) as resources:
            async with resources.watch.running():
                await main(resources)

    anyio.run(whole)


def pieces(chunks: list[bytes]) -> list[dict[str, Any]]:
    """What was said in them, greetings and comments left out."""
    lines = b"".join(chunks).decode().split("\n")
    return [said["data"] for said in parse(iter(lines)) if said.get("event") == "change"]


async def gather(resources: Resources, chunks: list[bytes]) -> None:
    """What one listener of everything is told, piece by piece as it comes."""
    async for chunk in stream.stream(resources, EVERYTHING, None):
        chunks.append(chunk)  # noqa: PERF401  It is looked at meanwhile.


async def becomes(condition: Callable[[], bool]) -> None:
    while not condition():
        await anyio.sleep(0.01)


@pytest.fixture
def looks() -> Iterator[list[str]]:
    """Statements that a look begins with."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "pg_snapshot_xmin" in statement:
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def work(sessions: Sessions) -> None:
    """A step is claimed, and tells of three hundred points, at once."""
    with transaction(sessions) as session:
        step_id = next_id(session, "gpu", "cpu")
        assert step_id is not None
        claim = flow.claim(session, step_id, new_worker(session), lease_seconds=60)
        assert claim is not None
        points = [Metric(series="loss", x=float(x), y=1.0) for x in range(300)]
        said = Progress(done=1, total=2, unit="steps", eta_seconds=1.0, parts=[])
        flow.report(session, claim, [*points, said], engine_seconds=1.0)


def test_many_events_of_a_job_are_told_once_and_to_many_as_to_one(
    api_settings: ApiSettings, sessions: Sessions, looks: list[str]
) -> None:
    with transaction(sessions) as session:
        search_id = new_search(session).id
    heard: list[list[bytes]] = [[] for _ in range(120)]

    async def main(resources: Resources) -> None:
        async with anyio.create_task_group() as tasks:
            for chunks in heard:
                tasks.start_soon(gather, resources, chunks)
            await becomes(lambda: all(heard))
            looks.clear()
            await to_thread.run_sync(work, sessions)
            await becomes(lambda: len(looks) > 3 and all(pieces(chunks) for chunks in heard))
            first = len(looks)
            await becomes(lambda: len(looks) > first + 2)
            resources.end_streams()

    run(api_settings, main)
    assert len(looks) < 120, "one look for all of them each time"
    for chunks in heard:
        [said] = pieces(chunks)
        assert (said["id"], said["state"]) == (str(search_id), "running")
        assert said["progress"] > 0


def test_what_is_committed_late_is_told_all_the_same(api_settings: ApiSettings, sessions: Sessions) -> None:
    """A transaction that began before a look, and ends after others that began later have been read."""

    async def main(resources: Resources) -> None:
        chunks: list[bytes] = []

        async def heard(job_id: UUID) -> None:
            await becomes(lambda: str(job_id) in [said["id"] for said in pieces(chunks)])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gather, resources, chunks)
            await becomes(lambda: bool(chunks))
            with transaction(sessions) as late:
                first = await to_thread.run_sync(lambda: new_search(late).id)
                with transaction(sessions) as session:
                    second = new_search(session).id
                await heard(second)
                await anyio.sleep(0.2)
                assert str(first) not in [said["id"] for said in pieces(chunks)]
            await heard(first)
            resources.end_streams()
        told_of = [said["id"] for said in pieces(chunks)]
        assert sorted(told_of) == sorted([str(first), str(second)]), "each once"

    run(api_settings, main)


def test_who_has_missed_something_is_told_to_begin_anew(
    api_settings: ApiSettings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_MOST", 3)
    listener = watch.Listener(EVERYTHING)
    with transaction(sessions) as session:
        rows = [new_search(session) for _ in range(4)]
        session.flush()
        news = {job.id: watch.Change.of(job) for job in changes.now(session, [row.id for row in rows])}
    assert len(news) == 4
    listener.tell(news)
    assert listener.take() == (True, [])
    listener.tell(dict(list(news.items())[:2]))
    assert listener.take() == (False, list(news.values())[:2])

    async def main(resources: Resources) -> None:
        chunks: list[bytes] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gather, resources, chunks)
            await becomes(lambda: bool(chunks))
            monkeypatch.setattr(watch, "_STALE_SECONDS", -1.0)
            await becomes(lambda: b"".join(chunks).count(b"event: hello") >= 2)
            resources.end_streams()

    run(api_settings, main)


def test_a_change_that_is_rolled_back_is_none(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        search_id = new_search(session).id
        begun = changes.horizon(session)
    with sessions() as session:
        search = jobs.lock(session, search_id)
        append(session, search, [NewEvent(EventType.LOG, {"message": "x"})])
        jobs.announce(session, search)
        session.rollback()
    with transaction(sessions) as session:
        assert [line.job_id for line in changes.since(session, begun)] == [search_id]
        assert json.loads(watch.Change.of(changes.now(session, [search_id])[0]).text.decode().partition("data: ")[2])
