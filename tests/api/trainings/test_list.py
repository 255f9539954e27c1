"""The list of trainings: those made alone beside those of searches."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.jobs.waits import LAST_SECONDS
from store.blobs import BlobStore
from store.session import Sessions
from tests.api.builders import FEW_TRIED, birds, finish, new_training
from tests.api.problems import problem


class Shelf:
    """A finished search, which has trained its winner and control, and two trainings of the winner alone."""

    def __init__(self, client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
        self._client = client
        spec = FEW_TRIED | {"name": "small ones", "labels": {"team": "vision"}}
        self.search: str = client.post("/searches", json=spec).json()["id"]
        finish(sessions, blobs, UUID(self.search))
        networks = client.get(f"/searches/{self.search}").json()["architectures"]
        self.networks = {network["role"]: network["id"] for network in networks}
        self.winner, self.control = (
            client.get(f"/architectures/{self.networks[role]}").json()["trainings"][0] for role in ("winner", "control")
        )
        birds(sessions)
        self.waits = new_training(client, self.networks["winner"], name="longer", labels={"team": "vision"})["id"]
        self.elsewhere = new_training(client, self.networks["winner"], dataset="birds", labels={"team": "birds"})["id"]
        client.post(f"/trainings/{self.elsewhere}/cancel")

    def page(self, **params: Any) -> dict[str, Any]:
        page: dict[str, Any] = self._client.get("/trainings", params=params).json()
        return page

    def ids(self, **params: Any) -> list[str]:
        return [training["id"] for training in self.page(**params)["items"]]


@pytest.fixture
def shelf(client: TestClient, sessions: Sessions, blobs: BlobStore) -> Shelf:
    return Shelf(client, sessions, blobs)


def test_all_are_listed_newest_first(shelf: Shelf) -> None:
    items = {training["id"]: training for training in shelf.page()["items"]}
    assert list(items) == [shelf.elsewhere, shelf.waits, shelf.control, shelf.winner]
    of = {training["id"]: training["search_id"] for training in items.values()}
    assert of == {shelf.elsewhere: None, shelf.waits: None, shelf.control: shelf.search, shelf.winner: shelf.search}
    assert [training["network"] for training in items.values()] == ["network", "network", "control", "winner"]
    assert [_called(training["architecture"]) for training in items.values()] == [
        ("winner", None, "small ones"),
        ("winner", None, "small ones"),
        ("control", None, "small ones"),
        ("winner", None, "small ones"),
    ]
    assert items[shelf.waits]["architecture"]["id"] == items[shelf.waits]["architecture_id"] == shelf.networks["winner"]
    assert [training["phase"] for training in items.values()] == ["train", "train", "train", "train"]
    assert (items[shelf.winner]["name"], items[shelf.winner]["labels"]) == ("small ones", {"team": "vision"})
    assert (items[shelf.winner]["test_accuracy"], items[shelf.waits]["test_accuracy"]) == (0.99, None)


def _called(network: dict[str, Any]) -> tuple[str, str | None, str | None]:
    return network["role"], network["name"], network["search"]


def test_a_list_of_several_trainings_takes_as_many_statements_as_one_of_one(
    shelf: Shelf, client: TestClient, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What their networks and searches are called comes with them. Both pages have trainings alone, of which one may wait; what for is looked
    at before."""
    monkeypatch.setattr(client.app.state.resources.waits, "_clock", lambda: 0.0)  # type: ignore[attr-defined]
    shelf.page()
    counts = []
    for limit in (2, 4):
        sent.clear()
        assert len(shelf.page(limit=limit)["items"]) == limit
        counts.append(len(sent))
    assert counts[0] == counts[1] > 0


def test_lists_are_filtered(shelf: Shelf, client: TestClient) -> None:
    assert shelf.ids(state="queued") == [shelf.waits]
    assert shelf.ids(state="succeeded") == [shelf.control, shelf.winner]
    assert shelf.ids(state="cancelled") == [shelf.elsewhere]
    assert shelf.ids(state="failed") == []
    assert shelf.ids(dataset="birds") == [shelf.elsewhere]
    assert shelf.ids(dataset="digits") == [shelf.waits, shelf.control, shelf.winner]
    assert shelf.ids(dataset="cats") == []
    assert shelf.ids(label="team:vision") == [shelf.waits, shelf.control, shelf.winner]
    assert shelf.ids(label=["team:vision", "team"]) == [shelf.waits, shelf.control, shelf.winner]
    assert shelf.ids(state=["queued", "cancelled"]) == [shelf.elsewhere, shelf.waits]
    assert shelf.ids(state=["cancelled", "succeeded"], label="team:vision") == [shelf.control, shelf.winner]
    assert shelf.ids(priority="normal", state="succeeded") == [shelf.control, shelf.winner], (
        "those of a search have its"
    )
    assert shelf.ids(priority=["low", "high"]) == []
    assert shelf.ids(q="ONG") == [shelf.waits]
    assert shelf.ids(architecture=shelf.networks["winner"]) == [shelf.elsewhere, shelf.waits, shelf.winner]
    assert shelf.ids(architecture=shelf.networks["control"]) == [shelf.control]
    assert shelf.ids(search=shelf.search) == [shelf.elsewhere, shelf.waits, shelf.control, shelf.winner]
    assert shelf.ids(search=shelf.waits) == []
    assert shelf.ids(architecture=shelf.networks["winner"], state="succeeded", label="team:vision") == [shelf.winner]
    for wrong in ({"label": ":x"}, {"state": "done"}, {"architecture": "winner"}, {"search": "x"}, {"limit": 0}):
        problem(client.get("/trainings", params=wrong), 422, "invalid_request")


def test_a_list_narrows_to_what_a_name_or_an_end_of_an_id_means(shelf: Shelf) -> None:
    assert shelf.ids(ref="longer") == shelf.ids(ref=shelf.waits[-8:]) == shelf.ids(ref=shelf.waits) == [shelf.waits]
    assert shelf.ids(ref="small ones") == [shelf.control, shelf.winner], "they have the name of their search"
    assert shelf.ids(ref=shelf.winner[-8:]) == [shelf.winner]
    assert shelf.ids(ref=shelf.search) == []
    assert shelf.ids(ref="long") == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_follow_each_other(shelf: Shelf, limit: int) -> None:
    seen, cursor = [], None
    while True:
        page = shelf.page(limit=limit, search=shelf.search, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= limit
        seen += [training["id"] for training in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [shelf.elsewhere, shelf.waits, shelf.control, shelf.winner]


def test_what_a_training_waits_for_is_listed(shelf: Shelf, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(client.app.state.resources.waits, "_clock", lambda: now)  # type: ignore[attr-defined]
    behind = new_training(client, shelf.networks["control"])
    assert behind["waiting_for"] == "1 job before it on the worker of here (cpu)"
    waits = {training["id"]: training["waiting_for"] for training in shelf.page()["items"]}
    assert (waits[behind["id"]], waits[shelf.waits], waits[shelf.winner]) == (behind["waiting_for"], None, None)
    client.post(f"/trainings/{shelf.waits}/cancel")
    now = LAST_SECONDS
    assert client.get(f"/trainings/{behind['id']}").json()["waiting_for"] is None


def test_trainings_are_counted_by_state_as_they_are_listed(shelf: Shelf, client: TestClient) -> None:
    for params in ({}, {"search": shelf.search}, {"ref": "longer"}, {"state": "succeeded"}):
        states = [training["state"] for training in shelf.page(limit=100, **params)["items"]]
        found = client.get("/trainings/counts", params=params).json()
        assert found["total"] == len(states) > 0
        assert found["states"] == {state: states.count(state) for state in found["states"]}
