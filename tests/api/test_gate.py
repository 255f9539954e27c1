"""Few requests compute at once, few wait, the rest is told when to come back."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import anyio
import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.deps import HEAVY, UPLOAD
from api.errors import Conflict, Unavailable
from api.gate import Gate
from api.searches import endpoints
from api.searches.schemas import Estimate
from api.settings import ApiSettings
from tests.api.problems import problem

ESTIMATE = {"dataset": "digits"}


def test_places_are_taken_and_given_back() -> None:
    async def main() -> None:
        gate, inside, most = Gate(2, 3), 0, 0

        async def visit() -> None:
            nonlocal inside, most
            async with gate.place():
                inside += 1
                most = max(most, inside)
                await anyio.sleep(0)
                inside -= 1

        for _ in range(3):
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(visit)
        assert most == 2
        async with anyio.create_task_group() as tasks, gate.place(), gate.place():
            for _ in range(3):
                tasks.start_soon(visit)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Unavailable):
                await visit()

    anyio.run(main)


@pytest.fixture
def api_settings(api_settings: ApiSettings) -> ApiSettings:
    return api_settings.model_copy(update={"heavy_at_once": 1, "heavy_waiting": 2})


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Estimates that begin and do not end until told."""
    began, go = threading.Event(), threading.Event()

    def slow(*_args: object, **_named: object) -> Estimate:
        began.set()
        assert go.wait(60)
        raise Conflict("It was only a test, nothing was computed.")

    monkeypatch.setattr(endpoints, "estimate", slow)
    yield began, go
    go.set()


def test_beyond_those_that_wait_one_is_told_to_come_back_and_others_are_served(
    server: httpx.Client, held: tuple[threading.Event, threading.Event]
) -> None:
    began, go = held
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(server.post, "/searches/estimate", json=ESTIMATE, timeout=60) for _ in range(8)]
        refused = [future.result() for future in itertools.islice(as_completed(sent), 5)]
        assert began.wait(60)
        assert server.get("/healthz").status_code == server.get("/searches").status_code == 200
        go.set()
        answers = [future.result() for future in sent]
    for response in refused:
        problem(response, 503, "unavailable")
        assert int(response.headers["retry-after"]) > 0
    assert sorted(response.status_code for response in answers) == [409] * 3 + [503] * 5
    assert server.post("/searches/estimate", json=ESTIMATE).status_code == 409, "the places are free again"


def test_every_route_that_computes_has_the_gate() -> None:
    search = "/searches/{search_id}"
    routes = {
        (route.path, *route.methods): {dependency.dependency for dependency in route.dependencies}
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
    }
    heavy = {key for key, dependencies in routes.items() if HEAVY.dependency in dependencies}
    assert heavy == {
        ("/searches", "POST"), ("/searches/estimate", "POST"), (f"{search}/select", "POST"),
        (f"{search}/frontier", "GET"), (f"{search}/ratings", "GET"), (f"{search}/ratings/strips", "GET"),
        (f"{search}/metrics", "GET"),
        ("/trainings/{training_id}/metrics", "GET"),
        ("/tunings/{tuning_id}/metrics", "GET"), ("/tunings/{tuning_id}/importance", "GET"),
    }  # fmt: skip
    assert UPLOAD.dependency in routes["/datasets", "POST"]
