"""Events as typed items of a list, the same as those of the stream."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.jobs import events
from store.session import Sessions, transaction
from store.states import EventType
from store.tables import Event
from tests.api.conftest import Finished
from tests.api.jobs.test_stream import parse
from tests.api.problems import problem

DATA = {
    "state": events.StateData,
    "step": events.StepData,
    "progress": events.ProgressData,
    "metric": events.MetricData,
    "log": events.LogData,
}


def streamed(job: Finished) -> list[dict[str, Any]]:
    return list(parse(iter(job.get("/events").text.split("\n"))))


def test_a_list_holds_what_the_stream_tells(finished: Finished) -> None:
    everything = finished.get("/events/list", limit=200).json()
    assert everything["next"] is None
    told = [{"id": str(item["seq"]), "event": item["type"]} for item in everything["items"]]
    stream = streamed(finished)
    assert told == [{"id": event["id"], "event": event["event"]} for event in stream]
    for item, event in zip(everything["items"], stream, strict=True):
        assert {**event["data"], **item["data"]} == item["data"], (
            "nothing that the stream tells is left out or told otherwise"
        )


def test_every_event_says_what_is_documented(finished: Finished, trained: Finished) -> None:
    """And nothing else: a field that the models do not know would be a field that no client knows."""
    for job in (finished, trained):
        for event in streamed(job):
            assert set(event["data"]) <= set(DATA[event["event"]].model_fields), event
            DATA[event["event"]].model_validate(event["data"], strict=False)
    document = finished.client.get("/openapi.json").json()["paths"]
    for path in ("/searches/{search_id}", "/trainings/{training_id}", "/datasets/{dataset}"):
        described = document[f"{path}/events"]["get"]["responses"]["200"]["content"]["text/event-stream"][
            "x-itemSchema"
        ]
        kinds = {one["properties"]["event"]["const"]: one["properties"]["data"] for one in described["oneOf"]}
        assert set(kinds) == {kind.value for kind in EventType}
        assert kinds["metric"]["contentSchema"] == {"$ref": "#/components/schemas/MetricData"}


def test_pages_follow_each_other_by_cursor_or_by_number(finished: Finished) -> None:
    everything = [int(event["id"]) for event in streamed(finished)]
    seen, cursor = [], ""
    while cursor is not None:
        page = finished.get("/events/list", limit=7, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["seq"] for item in page["items"]]
        cursor = page["next"]
    assert seen == everything
    rest = finished.get("/events/list", after=everything[-3], limit=200).json()["items"]
    assert [item["seq"] for item in rest] == everything[-2:]
    assert finished.get("/events/list", after=everything[-1]).json() == {"items": [], "next": None}


def test_only_the_types_that_are_asked_for(finished: Finished) -> None:
    def types(*asked: str) -> list[str]:
        answer = finished.client.get(f"/searches/{finished.id}/events/list", params={"type": list(asked), "limit": 200})
        return [item["type"] for item in answer.json()["items"]]

    everything = [event["event"] for event in streamed(finished)]
    assert types("state") == [kind for kind in everything if kind == "state"]
    assert types("state", "metric") == [kind for kind in everything if kind in ("state", "metric")]
    problem(finished.get("/events/list", type="news"), 422, "invalid_request")


def test_the_newest_first(finished: Finished) -> None:
    everything = [int(event["id"]) for event in streamed(finished)]
    seen, cursor = [], ""
    while cursor is not None:
        query = {"limit": 7, "sort": "-seq", "after": everything[4]} | ({"cursor": cursor} if cursor else {})
        page = finished.get("/events/list", **query).json()
        seen += [item["seq"] for item in page["items"]]
        cursor = page["next"]
    assert seen == everything[:4:-1]
    problem(finished.get("/events/list", sort="time"), 422, "invalid_request")


def test_only_those_of_a_step(finished: Finished) -> None:
    everything = [event for event in streamed(finished) if event["data"].get("step") == "distill-1"]
    assert everything
    items = finished.get("/events/list", step="distill-1", limit=200).json()["items"]
    assert [item["seq"] for item in items] == [int(event["id"]) for event in everything]
    assert finished.get("/events/list", step="none").json()["items"] == []


def test_what_is_read_says_from_where_its_stream_goes_on(client: TestClient) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()
    client.post(f"/searches/{search['id']}/cancel")
    after = client.get(f"/searches/{search['id']}/events", params={"after": search["last_event"]}).text
    following = [int(event["id"]) for event in parse(iter(after.split("\n")))]
    last = client.get(f"/searches/{search['id']}").json()["last_event"]
    assert following == list(range(search["last_event"] + 1, last + 1))
    assert client.get(f"/searches/{search['id']}/events", params={"after": last}).status_code == 204


@pytest.mark.parametrize("cursor", ["x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "LTE"])
def test_a_cursor_of_something_else_is_refused(finished: Finished, cursor: str) -> None:
    assert (
        problem(finished.get("/events/list", cursor=cursor), 422, "invalid_request")["errors"][0]["parameter"]
        == "cursor"
    )


def test_datasets_have_the_events_of_their_check(shared: TestClient) -> None:
    assert shared.get("/datasets/digits/events/list").json() == {"items": [], "next": None}
    assert shared.get("/datasets/none/events/list").status_code == 404


def test_what_an_earlier_version_did_not_tell_has_a_default(client: TestClient, sessions: Sessions) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    with transaction(sessions) as session:
        session.add(Event(job_id=UUID(search), seq=2, type=EventType.LOG, data={"message": "hello"}))
    (item,) = client.get(f"/searches/{search}/events/list", params={"type": "log"}).json()["items"]
    assert {"step": None, "level": "info", "message": "hello"}.items() <= item["data"].items()
