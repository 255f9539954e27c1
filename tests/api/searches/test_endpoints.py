"""Creating, listing, reading and steering searches."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from api.jobs import waits
from dna_engine.plans import Phase
from dna_engine.space import SPACES
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.tables import Job
from store.waiting import NO_WORKER
from tests.api.builders import ENGINE_SECONDS, FEW_TRIED, finish
from tests.api.conftest import Finished
from tests.api.problems import pointers, problem
from tests.store.builders import TEST, new_worker

SMALL = SPACES["mbconv-small"].to_json()


def create(client: TestClient, **fields: Any) -> dict[str, Any]:
    response = client.post("/searches", json={"dataset": "digits", **fields})
    assert response.status_code == 201, response.text
    search: dict[str, Any] = response.json()
    return search


def test_a_new_search_is_queued_and_can_be_read_at_once(client: TestClient) -> None:
    response = client.post("/searches", json={"dataset": "digits", "name": "first", "labels": {"team": "vision"}})
    search = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"/searches/{search['id']}")
    assert client.get(response.headers["location"]).json() == search
    assert (search["state"], search["phase"], search["progress"], search["best"]) == ("queued", "teacher", 0.0, None)
    assert (search["name"], search["labels"], search["error"]) == ("first", {"team": "vision"}, None)
    assert search["created_at"].endswith("Z")
    assert UUID(search["id"]).version == 7
    (step,) = search["steps"]
    assert (step["key"], step["kind"], step["state"], step["attempt"]) == ("teacher", "teacher", "queued", 0)


def test_the_spec_is_shown_resolved(client: TestClient) -> None:
    spec = create(client, budget={"flops": 4e6})["spec"]
    assert spec["budget"] == {"flops": 4_000_000, "params": None, "latency_ms": None}
    assert spec["teacher"]["model"] == "resnet10t"
    assert spec["space"]["name"] == "mbconv-small"
    assert len(spec["teacher"]["boundaries"]) == len(spec["space"]["blocks"])


@pytest.mark.parametrize("name", ["fused-small", "mobilenetv4"])
def test_a_space_of_other_layers_is_named_or_described(client: TestClient, name: str) -> None:
    spec = create(client, space=name, teacher={"model": "resnet18"})["spec"]
    assert spec["space"] == SPACES[name].to_json()
    assert len(spec["teacher"]["boundaries"]) == len(spec["space"]["blocks"])
    own = {"name": "own", "kind": "universal", "start": 3, "kernel": 0, "end": 0, "expansion": 2, "se_ratio": 0.25}
    described = spec["space"] | {"name": "mine", "ops": [own, "ffn2"], "activation": "hard_swish"}
    assert create(client, space=described, teacher={"model": "resnet18"})["spec"]["space"] == described


@pytest.mark.parametrize(
    ("fields", "kind", "pointer", "says"),
    [
        ({"dataset": "digit"}, "unknown_name", "#/dataset", "'digits'"),
        ({"teacher": {"model": "resnet19"}}, "unknown_name", "#/teacher/model", "resnet18"),
        ({"teacher": {"model": "hf-hub:someone/model"}}, "unknown_name", "#/teacher/model", "Known"),
        ({"teacher": {"weights": "/etc/passwd"}}, "invalid_request", "#/teacher/weights", "finetune or train"),
        ({"teacher": {"boundaries": ["layer1"]}}, "invalid_spec", "#/teacher/boundaries", "3 blocks"),
        ({"space": "dna-mb"}, "unknown_name", "#/space", "dna-mbconv"),
        ({"space": SMALL | {"activation": "sine"}}, "unknown_name", "#/space/activation", "hard_swish"),
        ({"space": SMALL | {"ops": [{"name": "x", "kind": "mqa"}]}}, "unknown_name", "#/space/ops/0/kind", "universal"),
        (
            {"space": {"blocks": [{"stride": 3, "cells": [{"depth": 1, "width": 8}]}]}},
            "invalid_space",
            "#/space/blocks/0",
            "1 or 2",
        ),
        ({"space": {"blocks": [{"stride": 2}]}}, "invalid_space", "#/space/blocks/0", "cells"),
        ({"space": {"blocks": [], "ops": ["mb9_9x9"]}}, "unknown_name", "#/space/ops/0", "no op named 'mb9_9x9'"),
        (
            {"space": {"blocks": [{"stride": 1.9, "cells": [{"depth": 1, "width": 8}]}]}},
            "invalid_space",
            "#/space/blocks/0/stride",
            "whole number",
        ),
        (
            {"space": {"blocks": [{"stride": 2, "cells": [{"depth": 1, "width": "24"}]}]}},
            "invalid_space",
            "#/space/blocks/0/cells/0/width",
            "whole number",
        ),
        (
            {
                "space": {
                    "blocks": [{"stride": 2, "cells": [{"depth": 1, "width": 8}]}],
                    "ops": [{"name": "x" * 60_000}],
                }
            },
            "invalid_space",
            "#/space/ops/0",
            "64 characters",
        ),
        (
            {
                "space": {
                    "blocks": [{"stride": 2, "cells": [{"depth": 8, "width": 24}]}] * 3,
                    "ops": [{"name": f"o{number}"} for number in range(16)],
                }
            },
            "invalid_space",
            "#/space/blocks",
            "12,884,901,888 paths",
        ),
        ({"teacher": {"boundaries": ["a", "b", "c"]}}, "unknown_name", "#/teacher/boundaries", "layer1"),
        ({"block_weights": [1.7e308, 1, 1]}, "invalid_request", "#/block_weights/0", "1,000,000"),
        ({"block_weights": [1.0]}, "invalid_spec", "#/block_weights", "3 blocks"),
        ({"colour": "red"}, "invalid_request", "#/colour", "no such field"),
        ({"buget": {"flops": 1}}, "invalid_request", "#/buget", "buget: There is no such field. Did you mean budget?"),
        ({"budget": {"flop": 1}}, "invalid_request", "#/budget/flop", "Did you mean flops?"),
        ({"budget": {"flops": -1}}, "invalid_request", "#/budget/flops", "must be above 0"),
        ({"training": {"epochs": "many"}}, "invalid_request", "#/training/epochs", "integer"),
        ({"labels": {"k": "v" * 257}}, "invalid_request", "#/labels/k", "256"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_field_and_what_exists(
    shared: TestClient, fields: dict[str, Any], kind: str, pointer: str, says: str
) -> None:
    body = problem(shared.post("/searches", json={"dataset": "digits", **fields}), 422, kind)
    assert pointers(body) == [pointer]
    assert says in body["detail"]


def test_unknown_names_list_the_known_ones(shared: TestClient) -> None:
    body = problem(shared.post("/searches", json={"dataset": "cats"}), 422, "unknown_name")
    assert body["known"] == ["digits"]


def test_a_budget_below_every_network_is_refused_with_what_is_feasible(shared: TestClient) -> None:
    body = problem(
        shared.post("/searches", json={"dataset": "digits", "budget": {"flops": 10}}), 422, "infeasible_budget"
    )
    low, high = body["feasible"]["flops"]
    assert (body["binding"], body["nearest"], pointers(body)) == (["flops"], [{"flops": low}], ["#/budget/flops"])
    assert f"{low:,}" in body["detail"]
    assert low < high
    assert shared.post("/searches/estimate", json={"dataset": "digits", "budget": {"flops": low}}).json()["feasible"]


def test_limits_that_can_be_met_alone_but_not_together_are_refused(shared: TestClient) -> None:
    """Squeeze-excite costs params and next to no flops, so here the smallest networks in each are not the same."""
    lean = {"name": "lean", "expansion": 3, "se_ratio": 1.0}
    plain = {"name": "plain", "expansion": 4, "se_ratio": 0.0}
    blocks = [{"stride": 2, "cells": [{"depth": 2, "width": 24}]}, {"stride": 2, "cells": [{"depth": 2, "width": 48}]}]
    spec: dict[str, Any] = {"dataset": "digits", "space": {"blocks": blocks, "ops": [lean, plain]}}
    ranges = shared.post("/searches/estimate", json=spec).json()["feasible_range"]
    limits = {name: span[0] for name, span in ranges.items()}
    for name in limits:
        assert shared.post("/searches/estimate", json=spec | {"budget": {name: limits[name]}}).json()["feasible"]
    assert not shared.post("/searches/estimate", json=spec | {"budget": limits}).json()["feasible"]
    body = problem(shared.post("/searches", json=spec | {"budget": limits}), 422, "infeasible_budget")
    assert body["binding"] == ["flops", "params"]
    for budget in body["nearest"]:
        assert shared.post("/searches/estimate", json=spec | {"budget": budget}).json()["feasible"]


def test_a_search_that_waits_says_for_what(client: TestClient, sessions: Sessions) -> None:
    first = create(client)
    assert "none is live" in first["waiting_for"]
    with transaction(sessions) as session:
        new_worker(session)
    second = create(client)
    assert second["waiting_for"] == "1 job before it on the worker of here (cpu)"
    assert client.get(f"/searches/{first['id']}").json()["waiting_for"] is None
    listed = [search["waiting_for"] for search in client.get("/searches").json()["items"]]
    assert listed == [second["waiting_for"], None]


def test_a_list_of_many_searches_takes_as_many_statements_as_one_of_one(
    client: TestClient, sessions: Sessions, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for good_for in ("GOOD_SECONDS", "LAST_SECONDS"):  # It is looked each time what they wait for.
        monkeypatch.setattr(waits, good_for, 0.0)
    counts: list[int] = []
    for more in (1, 5):
        for _ in range(more):
            create(client)
        with transaction(sessions) as session:
            session.execute(update(Job).values(labels={"nothing": f"kept {more}"}))
        sent.clear()
        listed = client.get("/searches").json()["items"]
        counts.append(len(sent))
    assert len(listed) == 6
    assert counts[0] == counts[1] > 0


def test_lists_are_filtered(client: TestClient) -> None:
    first = create(client, labels={"team": "vision", "run": "a:b"})
    second = create(client, labels={"team": "vision"})
    third = create(client)
    client.post(f"/searches/{third['id']}/cancel")

    def ids(**params: Any) -> list[str]:
        return [search["id"] for search in client.get("/searches", params=params).json()["items"]]

    assert ids() == [third["id"], second["id"], first["id"]]
    assert ids(label="team:vision") == [second["id"], first["id"]]
    assert ids(label=["team:vision", "run:a:b"]) == [first["id"]]
    assert ids(state="cancelled") == [third["id"]]
    assert ids(dataset="digits", state="queued", label="run:a:b") == [first["id"]]
    assert ids(dataset="cats") == []
    assert ids(label="team") == [second["id"], first["id"]]


def test_a_list_narrows_to_what_a_name_or_an_end_of_an_id_means(client: TestClient) -> None:
    birds, other = create(client, name="birds"), create(client)

    def ids(ref: str) -> list[str]:
        return [search["id"] for search in client.get("/searches", params={"ref": ref}).json()["items"]]

    assert ids("birds") == ids(birds["id"][-8:]) == ids(birds["id"]) == [birds["id"]]
    assert ids(birds["id"][:6]) == [other["id"], birds["id"]]
    assert ids("bird") == ids(birds["id"][-3:]) == []
    problem(client.get("/searches", params={"ref": "a\x00b"}), 422, "unstorable_value")
    assert client.get("/datasets", params={"ref": "digits"}).json()["items"][0]["name"] == "digits"
    assert client.get("/datasets", params={"ref": "digit"}).json()["items"] == []


def test_what_weakens_the_ratings_is_said_with_the_search(client: TestClient) -> None:
    """And that nobody is there to begin with it."""
    assert create(client)["warnings"] == [NO_WORKER]
    weak = create(client, space="mbconv-small", teacher={"model": "vit_base_patch16_224"})
    assert [warning.split()[0] for warning in weak["warnings"]] == ["Most", "Block", "No"]
    assert client.get(f"/searches/{weak['id']}").json()["warnings"] == weak["warnings"]


def test_a_queued_search_is_cancelled_at_once_and_resumed(client: TestClient) -> None:
    search = create(client)
    cancelled = client.post(f"/searches/{search['id']}/cancel").json()
    assert (cancelled["state"], cancelled["steps"][0]["state"]) == ("cancelled", "cancelled")
    assert client.post(f"/searches/{search['id']}/cancel").json()["state"] == "cancelled"
    resumed = client.post(f"/searches/{search['id']}/resume").json()
    assert (resumed["state"], resumed["steps"][0]["state"], resumed["cancel_requested"]) == ("queued", "queued", False)
    problem(client.post(f"/searches/{search['id']}/resume"), 409, "illegal_transition")


def test_a_finished_search_shows_what_it_found(finished: Finished) -> None:
    search = finished.get("").json()
    assert (search["state"], search["progress"], search["eta_seconds"]) == ("succeeded", 1.0, None)
    assert [network["role"] for network in search["architectures"]][:2] == ["winner", "control"]
    assert search["best"]["architecture_id"] == finished.network("winner")
    assert search["best"]["test_accuracy"] == 0.99
    assert search["best"]["test"] == TEST
    assert [network["test"] for network in search["architectures"]][:2] == [TEST, TEST]
    assert search["comparison"]["says"].startswith("100 test images do not tell winner from control")
    assert search["best"]["flops"] <= search["spec"]["budget"]["flops"]
    assert {step["kind"] for step in search["steps"]} == {
        "teacher", "distill", "rate", "finalist", "select", "train", "export", "pictures",
    }  # fmt: skip
    assert sum(step["engine_seconds"] for step in search["steps"]) == ENGINE_SECONDS * len(search["steps"])
    control = search["architectures"][1]
    listed = next(each for each in finished.client.get("/searches").json()["items"] if each["id"] == finished.id)
    for shown in (search, listed):
        assert (shown["teacher"], shown["budget"]) == (search["spec"]["teacher"]["model"], search["spec"]["budget"])
        assert (control["role"], shown["control_accuracy"]) == ("control", control["test_accuracy"])
        assert shown["versus_control"] == "undecided"
    problem(finished.client.post(f"/searches/{finished.id}/cancel"), 409, "illegal_transition")
    refused = problem(finished.client.post(f"/searches/{finished.id}/resume"), 409, "illegal_transition")
    assert refused["detail"].startswith("The search has succeeded. Only a failed or cancelled one")


def test_deleting_takes_the_files_along(
    client: TestClient, sessions: Sessions, blobs: BlobStore, api_settings: Any
) -> None:
    search = create(client)
    problem(client.delete(f"/searches/{search['id']}"), 409, "illegal_transition")
    finish(sessions, blobs, UUID(search["id"]))
    folder = api_settings.data_dir / "artifacts"
    assert any(path.is_file() for path in folder.rglob("*"))
    response = client.delete(f"/searches/{search['id']}")
    assert (response.status_code, response.content) == (204, b"")
    assert not any(path.is_file() for path in folder.rglob("*"))
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/resume"), ("GET", "/events")):
        problem(client.request(method, f"/searches/{search['id']}{path}"), 404, "not_found")


class TestGivenTeacher:
    def test_another_search_begins_with_the_teacher_of_one(
        self, client: TestClient, sessions: Sessions, blobs: BlobStore
    ) -> None:
        first = create(client)
        asked = {"dataset": "digits", "teacher": {"from": first["id"], "weights": "finetune"}}
        body = problem(client.post("/searches", json=asked), 409, "illegal_transition")
        assert "has no finished teacher" in body["detail"]
        finish(sessions, blobs, UUID(first["id"]), until=Phase.TEACHER)
        assert client.post("/searches/estimate", json=asked).status_code == 200
        teacher = create(client, teacher=asked["teacher"])["spec"]["teacher"]
        assert (teacher["model"], teacher["weights"]) == ("resnet10t", "finetune")
        assert (teacher["given"]["kind"], teacher["given"]["source"]) == ("search", first["id"])
        assert teacher["given"]["taught"]["name"] == "digits"

    @pytest.mark.parametrize("nothing", ["0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10", "/etc", "resnet18"])
    def test_only_a_search_has_one(self, shared: TestClient, nothing: str) -> None:
        body = problem(shared.post("/searches", json=FEW_TRIED | {"teacher": {"from": nothing}}), 422, "invalid_spec")
        assert pointers(body) == ["#/teacher/from"]


def test_what_was_cancelled_just_now_waits_for_nothing(client: TestClient) -> None:
    first, second = (create(client)["id"] for _ in range(2))

    def waits() -> dict[str, str | None]:
        return {item["id"]: item["waiting_for"] for item in client.get("/searches").json()["items"]}

    assert None not in waits().values()
    client.post(f"/searches/{first}/cancel")
    found = waits()
    assert (found[first], found[second] is None) == (None, False)


def test_searches_are_counted_by_state_under_the_filters_of_their_list(client: TestClient) -> None:
    for number in range(3):
        body = {"dataset": "digits", "labels": {"team": f"team-{number % 2}"}, "name": f"search {number}"}
        made = client.post("/searches", json=body).json()["id"]
    client.post(f"/searches/{made}/cancel")
    nothing = dict.fromkeys(("queued", "running", "succeeded", "failed", "cancelled"), 0)

    def counts(**params: str) -> dict[str, Any]:
        found: dict[str, Any] = client.get("/searches/counts", params=params).json()
        return found

    assert counts() == {"states": nothing | {"queued": 2, "cancelled": 1}, "total": 3}
    assert counts(label="team:team-0") == {"states": nothing | {"queued": 1, "cancelled": 1}, "total": 2}
    assert counts(state="queued") == {"states": nothing | {"queued": 2}, "total": 2}
    assert counts(q="no such name") == {"states": nothing, "total": 0}
    problem(client.get("/searches/counts", params={"sort": "name"}), 422, "invalid_request")
    assert client.get("/tunings/counts").json()["total"] == 0
