"""Events through a network that breaks, from the real API: none is missing, none comes twice."""

from __future__ import annotations

import json
import threading
import time
from uuid import UUID

import pytest
from sqlalchemy import func, update

from dna_client import Client
from dna_client.errors import NotFound, ServerUnreachable
from store import events, jobs
from store.events import NewEvent
from store.session import transaction
from store.states import EventType
from store.tables import Worker
from tests.dna_client.conftest import PAUSES, Api
from tests.dna_client.proxy import proxy


def add_logs(api: Api, search_id: str, count: int, *, pause: float = 0.0) -> None:
    for number in range(count):
        with transaction(api.sessions) as session:
            data = {"step": "teacher", "level": "info", "message": f"line {number} " + "x" * 200}
            events.append(session, jobs.lock(session, UUID(search_id)), [NewEvent(EventType.LOG, data)])
        time.sleep(pause)


def test_broken_connections_leave_no_gap(api: Api, client: Client) -> None:
    made = client.create_search({"dataset": "digits"})
    add_logs(api, made["id"], 40)

    def work() -> None:
        add_logs(api, made["id"], 40, pause=0.01)
        client.cancel_search(made["id"])

    worker = threading.Thread(target=work)
    with proxy(api.url, cuts=[3_000, 10, 7_001, 5_555]) as broken, Client(broken.url, pauses=PAUSES) as watching:
        worker.start()
        seen = list(watching.events(made["id"]))
        worker.join()
        asked = [request for request in broken.requests if b"/events " in request]
    with transaction(api.sessions) as session:
        expected = [(row.seq, row.type, row.data) for row in events.after(session, UUID(made["id"]), 0)]
    assert [event["seq"] for event in seen] == [seq for seq, _, _ in expected] == list(range(1, len(seen) + 1))
    assert [event["type"] for event in seen] == [type_ for _, type_, _ in expected]
    assert [json.dumps(event["data"] | {"time": 0}) for event in seen] == [
        json.dumps({**data, "time": 0}) for _, _, data in expected
    ]
    assert len(asked) >= 5
    assert any(b"last-event-id: " in request.lower() for request in asked)


def test_what_has_happened_is_listed_too(client: Client, finished: str) -> None:
    every = list(client.events(finished))
    assert [event["seq"] for event in client.searches.happened(finished)] == [event["seq"] for event in every]
    states = list(client.searches.happened(finished, types=["state"]))
    assert [event["data"]["state"] for event in states if event["type"] == "state"][-1] == "succeeded"
    assert len(states) == sum(event["type"] == "state" for event in every)
    assert list(client.searches.happened(finished, after=every[-1]["seq"])) == []


def test_continues_after_the_event_that_is_named(client: Client, finished: str) -> None:
    every = list(client.events(finished))
    assert every[-1]["data"]["state"] == "succeeded"
    assert list(client.events(finished, after=every[-3]["seq"])) == every[-2:]
    assert list(client.events(finished, after=every[-1]["seq"])) == []


def test_an_earlier_end_does_not_end_a_search_that_was_resumed(client: Client) -> None:
    made = client.create_search({"dataset": "digits"})
    client.cancel_search(made["id"])
    client.resume_search(made["id"])
    states = [""]
    for event in client.events(made["id"]):
        if event["type"] == "state" and event["data"]["state"] != states[-1]:
            states.append(event["data"]["state"])
            if states[-2:] == ["cancelled", "queued"]:
                client.cancel_search(made["id"])
    assert states == ["", "queued", "cancelled", "queued", "cancelled"]


def test_gives_up_when_nothing_arrives_any_more(api: Api, client: Client) -> None:
    made = client.create_search({"dataset": "digits"})
    with proxy(api.url, cuts=[0] * 20) as broken, Client(broken.url, pauses=(0.01, 0.01)) as watching:
        with pytest.raises(ServerUnreachable):
            list(watching.events(made["id"]))
        assert broken.connections == 3


def test_an_unknown_search_has_no_events(client: Client) -> None:
    with pytest.raises(NotFound):
        list(client.events("00000000-0000-7000-8000-000000000000"))


def test_what_a_search_waits_for_is_given_where_asked_for(api: Api, client: Client) -> None:
    with transaction(api.sessions) as session:
        session.execute(update(Worker).values(stopped_at=func.now()))
    made = client.create_search({"dataset": "digits"})
    for event in client.events(made["id"], waits=True):
        if event["type"] == "waiting":
            assert (event["seq"], event["data"]) == (1, {"waiting_for": made["waiting_for"]})
            break
    assert "none is live" in (made["waiting_for"] or "")
    client.cancel_search(made["id"])
