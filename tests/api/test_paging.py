"""Orders and filters of lists over HTTP, and cursors that go on with their own list alone."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.pagination import decode, encode
from store import architectures
from store.session import Sessions, transaction
from tests.api.builders import birds, new_training, new_tuning
from tests.api.problems import problem
from tests.store.builders import new_worker


def read(client: TestClient, path: str, limit: int, **params: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        response = client.get(path, params={"limit": limit, **params} | ({"cursor": cursor} if cursor else {}))
        assert response.status_code == 200, response.text
        page = response.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if (cursor := page["next"]) is None:
            return items


def test_every_list_is_had_in_every_order_it_offers(client: TestClient, sessions: Sessions) -> None:
    networks = [client.post("/architectures", json={"architecture": f"dna-{one}"}).json()["id"] for one in "abc"]
    for name in "ab":
        client.post("/searches", json={"dataset": "digits", "name": name})
        new_training(client, networks[0], input_size=32, name=name)
        new_tuning(client, networks[0], input_size=32, trials=1, name=name)
    birds(sessions)
    with transaction(sessions) as session:
        for host in ("one", "two"):
            new_worker(session, hostname=host)
    paths = client.get("/openapi.json").json()["paths"]
    tried = {}
    for path in ("/searches", "/trainings", "/tunings", "/architectures", "/datasets", "/teachers", "/workers"):
        [sort] = [each for each in paths[path]["get"]["parameters"] if each["name"] == "sort"]
        for order in sort["schema"]["enum"]:
            limit = 1 if path != "/teachers" else 100
            ids = [item["id"] or item["name"] for item in read(client, path, limit, sort=order)]
            assert len(ids) == len({*ids}) >= 2, (path, order)
            tried[path, order] = ids
        assert tried[path, sort["schema"]["default"]] == [
            item["id"] or item["name"] for item in read(client, path, 200)
        ]
    assert [item["name"] for item in read(client, "/searches", 1, sort="name")] == ["a", "b"]
    assert [item["name"] for item in read(client, "/tunings", 1, sort="-name")] == ["b", "a"]
    assert tried["/architectures", "-flops"] == tried["/architectures", "flops"][::-1]
    assert tried["/workers", "hostname"] == tried["/workers", "-hostname"][::-1]
    assert tried["/teachers", "name"] == tried["/teachers", "-name"][::-1]


def test_a_list_is_not_offered_in_any_order(shared: TestClient) -> None:
    body = problem(shared.get("/searches", params={"sort": "-acuracy"}), 422, "invalid_request")
    assert body["errors"][0]["parameter"] == "sort"
    assert "Did you mean -accuracy?" in body["detail"]
    assert "created_at, -created_at, name" in body["detail"]
    problem(shared.get("/datasets", params={"sort": "accuracy"}), 422, "invalid_request")


def test_a_cursor_goes_on_with_its_own_list_alone(shared: TestClient) -> None:
    for seed in range(2):
        shared.post("/searches", json={"dataset": "digits", "seed": seed, "name": "twin"})
    cursor = shared.get("/searches", params={"q": "twin", "limit": 1, "sort": "name"}).json()["next"]

    def answer(**params: Any) -> str:
        body = problem(shared.get("/searches", params={"cursor": cursor, **params}), 422, "invalid_request")
        assert body["errors"][0]["parameter"] == "cursor"
        return str(body["detail"])

    right = {"q": "twin", "sort": "name"}
    assert len(shared.get("/searches", params={**right, "cursor": cursor, "limit": 7}).json()["items"]) >= 1
    assert "sorted by 'name', and -created_at is asked for" in answer(q="twin")
    assert "sorted by 'name', and -name is asked for" in answer(q="twin", sort="-name")
    assert "other filters" in answer(sort="name")
    assert "other filters" in answer(**right, state="queued")
    problem(shared.get("/trainings", params={**right, "cursor": cursor}), 422, "invalid_request")
    page = shared.get("/teachers", params={"limit": 1}).json()
    for params in ({"sort": "-name"}, {"sent": True}, {"q": "resnet"}):
        problem(shared.get("/teachers", params={**params, "cursor": page["next"]}), 422, "invalid_request")


@pytest.mark.parametrize("value", [2**70, 1e30, 1.5, "1", True, None, [1], {"a": 1}])
def test_a_place_is_one_that_a_row_may_have(shared: TestClient, value: Any) -> None:
    for name in "ab":
        shared.post("/architectures", json={"architecture": f"dna-{name}"})
    params = {"sort": "flops", "limit": 1}
    sort, of, _, row = json.loads(decode(shared.get("/architectures", params=params).json()["next"]))
    cursor = encode(json.dumps([sort, of, value, row]))
    body = problem(shared.get("/architectures", params={**params, "cursor": cursor}), 422, "invalid_request")
    assert body["errors"][0]["parameter"] == "cursor"
    for wrong in ([], [sort], [sort, of, 1, 2], {"a": 1}, 7):
        cursor = base64.urlsafe_b64encode(json.dumps(wrong).encode()).decode().rstrip("=")
        problem(shared.get("/architectures", params={**params, "cursor": cursor}), 422, "invalid_request")


def test_lists_are_narrowed(client: TestClient, sessions: Sessions) -> None:
    birds(sessions)
    with transaction(sessions) as session:
        new_worker(session, hostname="gpu-node", queues=["gpu"])
        new_worker(session, hostname="other", queues=["cpu"])
    for name in "ab":
        client.post("/architectures", json={"architecture": f"dna-{name}"})

    def names(path: str, **params: Any) -> list[str]:
        return [item.get("name") or item["hostname"] for item in read(client, path, 50, **params)]

    assert names("/datasets", kind=["upload", "folder"]) == names("/datasets", q="IRD") == ["birds"]
    assert names("/datasets", kind="builtin", state=["ready", "rejected"]) == ["digits"]
    assert names("/datasets", state="checking") == names("/datasets", created_after="2100-01-01") == []
    assert names("/datasets", sort="-images") == ["digits", "birds"]
    assert names("/workers", q="node") == names("/workers", queue="gpu") == ["gpu-node"]
    assert names("/architectures", q="A-B") == ["dna-b"]
    assert names("/architectures", role=["given", "winner"]) == ["dna-b", "dna-a"]
    assert names("/architectures", role="winner") == names("/architectures", latency_ms_min=0) == []
    assert names("/architectures", created_before="2020-01-01T00:00:00+02:00") == []
    assert names("/teachers", sent=True) == []
    assert "resnet18" in names("/teachers", q="resnet", sent=False)


def test_what_grows_with_use_is_shown_in_part_and_listed_whole(client: TestClient, sessions: Sessions) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    with transaction(sessions) as session:
        for number in range(201):
            architectures.select_network(session, UUID(search), {"number": number}, loss=1.0, flops=number, params=1)
    shown = [network["flops"] for network in client.get(f"/searches/{search}").json()["architectures"]]
    assert shown == list(range(200))
    response = client.get("/architectures", params={"search": search, "limit": 200, "sort": "flops"}).json()
    rest = client.get("/architectures", params={"search": search, "sort": "flops", "cursor": response["next"]}).json()
    assert [network["flops"] for network in response["items"] + rest["items"]] == list(range(201))
