"""Events without a gap: live, continued, ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.testclient import TestClient

from store import events, jobs, keys
from store.blobs import BlobStore
from store.events import NewEvent
from store.session import Sessions, clock, transaction
from store.states import EventType
from tests.api.builders import finish
from tests.api.conftest import Finished
from tests.api.problems import problem


def parse(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Events and comments as they arrive, without what they say of connecting again."""
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and event:
            yield event
            event = {}
        elif line and name != "retry":
            event[name or "comment"] = json.loads(value) if name == "data" else value


def test_a_finished_search_is_told_from_the_beginning_and_ends(finished: Finished) -> None:
    response = finished.get("/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    told = list(parse(iter(response.text.split("\n"))))
    assert [int(event["id"]) for event in told] == list(range(1, len(told) + 1))
    assert (told[0]["event"], told[0]["data"]["state"]) == ("state", "queued")
    assert (told[-1]["event"], told[-1]["data"]["state"]) == ("state", "succeeded")
    assert told[-1]["data"]["time"].endswith("Z")
    assert told_to_wait(response.text) == [2000], "with the first event, and once"


def told_to_wait(text: str) -> list[int]:
    """Milliseconds that are said with events."""
    return [int(block.partition("\n")[0].removeprefix("retry: ")) for block in text.split("\n\n") if "retry:" in block]


def test_a_stream_goes_on_after_the_last_event_seen(finished: Finished) -> None:
    everything = list(parse(iter(finished.get("/events").text.split("\n"))))
    half = len(everything) // 2
    rest = finished.client.get(f"/searches/{finished.id}/events", headers={"last-event-id": str(half)})
    assert list(parse(iter(rest.text.split("\n")))) == everything[half:]
    assert finished.get("/events", after=half).text == rest.text
    over = finished.client.get(f"/searches/{finished.id}/events", headers={"last-event-id": str(len(everything))})
    assert (over.status_code, over.content) == (204, b"")


@pytest.mark.parametrize("last", ["x", "-1", str(2**63)])
def test_other_event_ids_are_refused(shared: TestClient, finished: Finished, last: str) -> None:
    response = shared.get(f"/searches/{finished.id}/events", headers={"last-event-id": last})
    assert problem(response, 422, "invalid_request")["errors"][0]["parameter"] == "last-event-id"


def test_a_live_search_is_followed_to_its_end(server: httpx.Client, sessions: Sessions, blobs: BlobStore) -> None:
    search = server.post("/searches", json={"dataset": "digits"}).json()["id"]
    worker = threading.Thread(target=finish, args=(sessions, blobs, UUID(search)))
    with server.stream("GET", f"/searches/{search}/events") as response:
        told = parse(response.iter_lines())
        seen = [next(told)]
        worker.start()
        seen += [event for event in told if "id" in event]
    worker.join()
    assert [int(event["id"]) for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["data"]["state"] == "succeeded"
    assert [event["data"]["phase"] for event in seen if event["event"] == "state"][-1] == "export"


def test_many_events_come_in_order(server: httpx.Client, sessions: Sessions) -> None:
    search = server.post("/searches", json={"dataset": "digits"}).json()["id"]
    batch = [NewEvent(EventType.LOG, {"message": str(number)}) for number in range(1200)]
    with transaction(sessions) as session:
        events.append(session, jobs.lock(session, UUID(search)), batch)
    server.post(f"/searches/{search}/cancel")
    told = list(parse(iter(server.get(f"/searches/{search}/events").text.split("\n"))))
    assert [event["data"]["message"] for event in told if event["event"] == "log"] == [str(n) for n in range(1200)]


def test_what_a_search_waits_for_is_told_at_once_in_a_comment(server: httpx.Client) -> None:
    search = server.post("/searches", json={"dataset": "digits"}).json()
    with server.stream("GET", f"/searches/{search['id']}/events", params={"after": 1}) as response:
        told = next(parse(response.iter_lines()))
    assert told == {"comment": f"waiting for {search['waiting_for']}"}


def test_a_silent_stream_is_kept_open_and_ends_when_the_search_is_cancelled(
    server: httpx.Client,
) -> None:
    search = server.post("/searches", json={"dataset": "digits"}).json()["id"]
    with server.stream("GET", f"/searches/{search}/events") as response:
        told = parse(response.iter_lines())
        assert next(told)["data"]["state"] == "queued"
        assert "none is live" in next(told)["comment"]
        assert next(told) == {"comment": "ping"}
        with httpx.Client(base_url=server.base_url) as other:
            other.post(f"/searches/{search}/cancel")
        rest = [event for event in told if "comment" not in event]
    assert rest[-1]["data"]["state"] == "cancelled"


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_stream_ends_soon_after_its_key_does_and_no_other(server: httpx.Client, sessions: Sessions, how: str) -> None:
    with transaction(sessions) as session:
        (key, secret), (_, other) = (keys.create(session, name, project="followed") for name in ("gone", "stays"))
        key_id = key.id
    by, staying = ({"authorization": f"Bearer {each}"} for each in (secret, other))
    search = server.post("/searches", json={"dataset": "digits"}, headers=by).json()["id"]
    path = f"/searches/{search}/events"
    with server.stream("GET", path, headers=by) as response, server.stream("GET", path, headers=staying) as stays:
        told, heard = parse(response.iter_lines()), parse(stays.iter_lines())
        assert next(told)["data"]["state"] == next(heard)["data"]["state"] == "queued"
        with transaction(sessions) as session:
            row, now = keys.get(session, key_id), clock(session)
            row.revoked_at, row.expires_at = (now, None) if how == "revoked" else (None, now)
        assert all("comment" in event for event in told), "it ends, and the search has not"
        server.post(f"/searches/{search}/cancel", headers=staying)
        assert [event for event in heard if "comment" not in event][-1]["data"]["state"] == "cancelled"
