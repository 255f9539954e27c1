"""Names and labels change by merge patches; jobs are made of the specs of others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.patches import MEDIA_TYPE, merged
from store.blobs import BlobStore
from store.session import Sessions
from tests.api.builders import FEW_TRIED, finish, new_training, new_tuning
from tests.api.problems import pointers, problem

NOBODY = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        # RFC 7396, appendix A.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patches_merge_as_the_standard_has_it(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


class Kept:
    """A search, a training and a tuning, queued."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        network = client.post("/architectures", json={"architecture": "dna-a"}).json()["id"]
        spec = {"dataset": "digits", "name": "first", "labels": {"team": "vision"}, "budget": {"flops": 800_000}}
        self.search = f"/searches/{client.post('/searches', json=spec).json()['id']}"
        more = {"input_size": 32, "name": "first", "labels": {"team": "vision"}}
        self.training = f"/trainings/{new_training(client, network, **more)['id']}"
        self.tuning = f"/tunings/{new_tuning(client, network, trials=1, **more)['id']}"

    @property
    def all(self) -> list[str]:
        return [self.search, self.training, self.tuning]

    def change(self, path: str, **patch: Any) -> dict[str, Any]:
        response = self.client.patch(path, json=patch, headers={"content-type": MEDIA_TYPE})
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def log(self, path: str) -> list[str]:
        items = self.client.get(f"{path}/events/list", params={"type": "log"}).json()["items"]
        return [item["data"]["message"] for item in items]


@pytest.fixture
def kept(client: TestClient) -> Kept:
    return Kept(client)


def test_jobs_are_renamed_and_labelled(kept: Kept) -> None:
    for path in kept.all:
        before = kept.client.get(path).json()
        assert kept.change(path) == kept.change(path, name="first", labels={"team": "vision"}) == before
        assert kept.log(path) == []
        changed = kept.change(path, name="second", labels={"team": None, "run": "1", "absent": None})
        assert (changed["name"], changed["labels"]) == ("second", {"run": "1"})
        assert kept.log(path) == ["It is called 'second' now, not 'first'. Its labels are run=1 now."]
        now = {"name": "second", "labels": {"run": "1"}}
        written = {**before["written"], **now}
        assert changed == {**before, **now, "written": written, "last_event": before["last_event"] + 1}
        listed = kept.client.get(path.rsplit("/", 1)[0], params={"label": "run:1", "ref": "second"}).json()["items"]
        assert [item["id"] for item in listed] == [changed["id"]]
        assert kept.change(path, labels=None)["labels"] == {}


def test_a_priority_is_changed_while_a_job_is_not_finished(kept: Kept) -> None:
    client = kept.client
    for path in kept.all:
        kind, job_id = path.strip("/").split("/")
        changed = kept.change(path, priority="high")
        assert (changed["priority"], changed["written"]["priority"]) == ("high", "high")
        assert kept.log(path) == ["Its priority is high now, not normal."]
        for asked, found in ((["high"], [job_id]), (["low", "high"], [job_id]), (["normal", "low"], [])):
            listed = client.get(f"/{kind}", params={"priority": asked}).json()["items"]
            assert [item["id"] for item in listed] == found
            assert client.get(f"/{kind}/counts", params={"priority": asked}).json()["total"] == len(found)
        problem(client.get(f"/{kind}", params={"priority": "urgent"}), 422, "invalid_request")
        client.post(f"{path}/cancel")
        refused = client.patch(path, json={"name": "other", "priority": "low"})
        assert "was cancelled" in problem(refused, 409, "illegal_transition")["detail"]
        assert kept.change(path, priority="high")["name"] == "first", "what is so already changes nothing"
        client.post(f"{path}/resume")
        assert kept.change(path, priority="low")["priority"] == "low"
    asked = client.post("/searches", json={"dataset": "digits", "priority": "low"}).json()
    assert (asked["priority"], asked["written"]["priority"]) == ("low", "low")


def test_a_wrong_patch_changes_nothing(kept: Kept) -> None:
    client = kept.client
    for path in kept.all:
        for wrong, at in (({"nam": "x"}, "#/nam"), ({"name": None}, "#/name"), ({"name": ""}, "#/name"), ({"labels": {"a": 1}}, "#/labels/a"), ({"labels": {"": "x"}}, "#/labels/"), ({"seed": 1}, "#/seed"), ({"priority": "urgent"}, "#/priority"), ({"priority": None}, "#/priority")):  # fmt: skip
            assert pointers(problem(client.patch(path, json=wrong), 422, "invalid_request")) == [at]
        many = {"labels": {f"k{number}": "v" for number in range(33)}}
        assert pointers(problem(client.patch(path, json=many), 422, "invalid_request")) == ["#/labels"]
        said = client.patch(path, content='{"name": "x"}', headers={"content-type": "text/plain"})
        problem(said, 415, "unsupported_media_type")
        assert said.headers["accept-patch"] == MEDIA_TYPE
        problem(client.patch(path, content="{", headers={"content-type": MEDIA_TYPE}), 400, "malformed_json")
        found = client.get(path).json()
        assert (found["name"], found["labels"]) == ("first", {"team": "vision"})
        problem(client.patch(f"{path.rsplit('/', 1)[0]}/{NOBODY}", json={}), 404, "not_found")


def test_a_training_of_a_search_is_called_as_its_search(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search))
    training = client.get("/trainings", params={"search": search}).json()["items"][0]["id"]
    refused = problem(client.patch(f"/trainings/{training}", json={"name": "x"}), 409, "illegal_transition")
    assert "rename" in refused["detail"]
    assert client.patch(f"/searches/{search}", json={"name": "x"}).json()["state"] == "succeeded"
    assert client.get(f"/trainings/{training}").json()["name"] == "x"
    refused = problem(client.patch(f"/searches/{search}", json={"priority": "high"}), 409, "illegal_transition")
    assert "has succeeded: nothing of it waits" in refused["detail"]
    refused = problem(client.post("/trainings", json={"from": training}), 422, "invalid_request")
    assert "with a spec of its own" in refused["detail"]


def test_a_job_is_made_of_the_spec_of_another(kept: Kept) -> None:
    client = kept.client
    for path in kept.all:
        kind, job_id = path.strip("/").split("/")
        kept.change(path, labels={"run": "1"})
        body = {"from": job_id, "seed": 7, "labels": {"team": None}, "name": None}
        answer = client.post(f"/{kind}", json=body, headers={"idempotency-key": f"clone {kind}"})
        assert answer.status_code == 201, answer.text
        made, before = answer.json(), client.get(path).json()
        assert made["cloned_from"] == job_id
        assert before["cloned_from"] is None
        assert (made["seed"], made["labels"], made["dataset"]) == (7, {"run": "1"}, "digits")
        assert made["name"] != "first", "without a name it has the default one"
        known = {**before["spec"], "seed": 7, "labels": {"run": "1"}, "name": made["name"]}
        assert made["spec"] == known
        again = client.post(f"/{kind}", json=body, headers={"idempotency-key": f"clone {kind}"})
        assert (again.json()["id"], again.headers["idempotent-replayed"]) == (made["id"], "true")
        client.post(f"{path}/cancel")
        assert client.delete(path).status_code == 204
        assert client.get(f"/{kind}/{made['id']}").json()["cloned_from"] is None
        assert client.get(f"/{kind}", params={"ref": made["id"]}).json()["items"][0]["cloned_from"] is None


def test_overrides_are_merged_deeply_and_checked_as_any_spec_is(kept: Kept) -> None:
    client, search = kept.client, kept.search.removeprefix("/searches/")
    made = client.post("/searches", json={"from": search, "budget": {"params": 400_000}}).json()
    assert (made["spec"]["budget"]["flops"], made["spec"]["budget"]["params"]) == (800_000, 400_000)
    estimate = client.post(
        "/searches/estimate", json={"from": search, "budget": {"flops": None, "params": 400_000}}
    ).json()
    assert (estimate["spec"]["budget"]["flops"], estimate["spec"]["budget"]["params"]) == (None, 400_000)
    tuning = {"from": kept.tuning.removeprefix("/tunings/"), "trials": 3}
    assert client.post("/tunings/estimate", json=tuning).json()["trials"] == 3
    for wrong, at in (({"budget": {"flop": 1}}, "#/budget/flop"), ({"dataset": None}, "#/dataset"), ({"sede": 1}, "#/sede"), ({"seed": "x"}, "#/seed")):  # fmt: skip
        refused = client.post("/searches", json={"from": search, **wrong})
        assert pointers(problem(refused, 422, "invalid_request")) == [at]
    problem(client.post("/searches", json={"from": search, "budget": {"flops": 1}}), 422, "infeasible_budget")
    for nobody in (NOBODY, kept.training.removeprefix("/trainings/"), "first"):
        assert pointers(problem(client.post("/searches", json={"from": nobody}), 422, "invalid_request")) == ["#/from"]
    assert pointers(problem(client.post("/searches", json={"dataset": 1}), 422, "invalid_request")) == ["#/dataset"]


def test_a_teacher_that_is_taken_is_cloned_too(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    first = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(first))
    second = client.post("/searches", json=FEW_TRIED | {"teacher": {"from": first}}).json()
    third = client.post("/searches", json={"from": second["id"], "teacher": {"input_size": 64}}).json()
    assert third["spec"]["teacher"]["given"]["source"] == first
    assert third["spec"]["teacher"]["input_size"] == 64
