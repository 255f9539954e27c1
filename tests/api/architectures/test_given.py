"""Networks from elsewhere: kept once, listed by what they cost, trained like any other."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.architectures.examples import GIVEN
from dna_engine.space.architecture import PUBLISHED, published
from store.blobs import BlobStore
from store.session import Sessions
from tests.api.builders import new_training, winner
from tests.api.conftest import Finished
from tests.api.problems import pointers, problem

DESCRIBED = published("dna-a", input_size=32).to_json()


def listed(client: TestClient, **params: Any) -> list[str]:
    """Names of the networks of a list, page by page, or their roles where they have none."""
    found, cursor = [], None
    while True:
        page = client.get(
            "/architectures", params={"limit": 2, **params} | ({"cursor": cursor} if cursor else {})
        ).json()
        found += [network["name"] or network["role"] for network in page["items"]]
        if (cursor := page["next"]) is None:
            return found


@pytest.mark.parametrize("name", GIVEN)
def test_the_examples_are_accepted(shared: TestClient, name: str) -> None:
    document = shared.get("/openapi.json").json()["paths"]["/architectures"]["post"]
    assert document["requestBody"]["content"]["application/json"]["examples"][name]["value"] == GIVEN[name]["value"]
    assert shared.post("/architectures", json=GIVEN[name]["value"]).status_code in (200, 201)


def test_one_that_is_sent_again_is_the_one_that_there_is(client: TestClient) -> None:
    sent = {"architecture": DESCRIBED | {"preprocessing": {"size": 32}}, "name": "mine"}
    first, again = (client.post("/architectures", json=sent | {"name": name}) for name in ("mine", "another"))
    kept = first.json()
    assert (first.status_code, first.headers["location"]) == (201, f"/architectures/{kept['id']}")
    assert (again.status_code, again.json()) == (200, kept)
    assert (kept["role"], kept["name"], kept["search_id"], kept["test_accuracy"]) == ("given", "mine", None, None)
    assert (kept["architecture"], kept["trainings"]) == (DESCRIBED, [])
    assert [file["format"] for file in kept["files"]] == ["json"]
    assert client.get(first.headers["location"]).json() == kept
    assert client.get(f"/architectures/{kept['id']}/download").json() == DESCRIBED
    refused = client.get(f"/architectures/{kept['id']}/download", params={"format": "onnx"})
    assert "given, not trained" in problem(refused, 404, "not_found")["detail"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("dna-e", "dna-d"),
        ({}, "'format' must be"),
        (DESCRIBED | {"input_size": 10**6}, "input_size must be between 16 and 1,024"),
        (DESCRIBED | {"blocks": [DESCRIBED["blocks"][0] | {"width": 10**9}]}, "multiple of 8"),
        (7, "string"),
    ],
)
def test_what_is_no_network_is_refused(shared: TestClient, sent: Any, says: str) -> None:
    for path, body in (("/architectures", {}), ("/trainings", {"dataset": "digits"})):
        refused = problem(shared.post(path, json={"architecture": sent, **body}), 422, "invalid_request")
        assert {pointer.split("/")[1] for pointer in pointers(refused)} == {"architecture"}
        assert says in refused["detail"]


def test_a_training_takes_a_name_or_a_description_and_keeps_it(client: TestClient) -> None:
    trained = [new_training(client, network, input_size=32) for network in ("dna-b", DESCRIBED, "dna-b")]
    first, other, same = (training["architecture_id"] for training in trained)
    assert first == same != other
    network = client.get(f"/architectures/{first}").json()
    assert (network["name"], network["architecture"]) == ("dna-b", published("dna-b").to_json())
    assert network["trainings"] == [trained[0]["id"], trained[2]["id"]]
    spec = trained[0]["spec"]
    assert (spec["architecture"]["timm"]["num_classes"], spec["input_size"], spec["start"]) == (10, 32, "scratch")
    body = {"architecture": "dna-b", "dataset": "digits"}
    for field, value in (("start", "inherited"), ("distill", {})):
        refused = problem(client.post("/trainings", json=body | {field: value}), 422, "invalid_spec")
        assert pointers(refused) == [f"#/{field}"]


def test_lists_by_cost_accuracy_and_dataset(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    for name in PUBLISHED:
        client.post("/architectures", json={"architecture": name})
    by_flops = sorted(
        PUBLISHED, key=lambda name: client.get("/architectures", params={"ref": name}).json()["items"][0]["flops"]
    )
    assert listed(client) == [*reversed(PUBLISHED)]
    assert listed(client, sort="created") == [*PUBLISHED]
    assert listed(client, sort="flops") == by_flops
    assert listed(client, sort="-flops") == by_flops[::-1]
    [middle] = client.get("/architectures", params={"ref": by_flops[1]}).json()["items"]
    assert listed(client, sort="flops", flops_max=middle["flops"]) == by_flops[:2]
    assert listed(client, sort="flops", flops_min=middle["flops"] + 1) == by_flops[2:]
    assert listed(client, params_min=middle["params"], params_max=middle["params"]) == [by_flops[1]]
    assert listed(client, role="winner") == []
    winner(client, sessions, blobs)
    assert listed(client, sort="loss")[:2] == ["winner", "control"]
    assert listed(client, sort="-accuracy", accuracy_min=0) == []
    assert set(listed(client, dataset="digits")) == {"winner", "control"}
    new_training(client, "dna-c")
    assert set(listed(client, dataset="digits")) == {"winner", "control", "dna-c"}
    assert listed(client, dataset="birds") == []
    assert len(listed(client, sort="-loss")) == 6


@pytest.mark.parametrize(
    ("params", "name"),
    [({"sort": "id"}, "sort"), ({"flops_min": -1}, "flops_min"), ({"accuracy_max": 2}, "accuracy_max")],
)
def test_a_wrong_query_is_refused(shared: TestClient, params: dict[str, Any], name: str) -> None:
    [error] = problem(shared.get("/architectures", params=params), 422, "invalid_request")["errors"]
    assert error["parameter"] == name


def test_a_network_that_was_given_is_renamed_and_deleted(client: TestClient) -> None:
    described = published("dna-a", input_size=32).to_json()
    sent = {"architecture": described, "name": "mine"}
    for wrong in ("", "  ", "DNA-B"):
        problem(client.post("/architectures", json=sent | {"name": wrong}), 422, "invalid_request")
    path = f"/architectures/{client.post('/architectures', json=sent).json()['id']}"
    assert client.patch(path, json={}).json()["name"] == "mine"
    assert client.patch(path, json={"name": "ours"}).json()["name"] == client.get(path).json()["name"] == "ours"
    assert client.patch(path, json={"name": None}).json()["name"] is None
    for wrong in ({"name": ""}, {"name": "dna-b"}, {"role": "winner"}, {"name": 1}):
        problem(client.patch(path, json=wrong), 422, "invalid_request")
    training = client.post("/trainings", json={"architecture": path[15:], "dataset": "digits"}).json()["id"]
    assert client.delete(path).status_code == 204
    problem(client.get(path), 404, "not_found")
    problem(client.delete(path), 404, "not_found")
    assert client.get(f"/trainings/{training}").json()["architecture_id"] is None
    known = f"/architectures/{client.post('/architectures', json={'architecture': 'dna-b'}).json()['id']}"
    problem(client.patch(known, json={"name": "x"}), 409, "illegal_transition")
    assert client.delete(known).status_code == 204


def test_a_network_of_a_search_is_deleted_with_it(finished: Finished) -> None:
    path = f"/architectures/{finished.network('winner')}"
    assert finished.id in problem(finished.client.delete(path), 409, "illegal_transition")["detail"]


def test_a_network_of_a_search_says_what_that_is_called_and_gets_a_name_of_its_own(finished: Finished) -> None:
    client, path = finished.client, f"/architectures/{finished.network('winner')}"
    called = client.get(f"/searches/{finished.id}").json()["name"]
    assert client.get(path).json()["search"] == called
    assert "winner" in listed(client, q=called[1:-1].upper(), search=finished.id)
    assert client.patch(path, json={"name": "our best"}).json()["name"] == "our best"
    assert listed(client, q="R BES") == ["our best"]
    in_search = client.get(f"/searches/{finished.id}").json()["architectures"]
    assert ("winner", "our best") in {(network["role"], network["name"]) for network in in_search}
    asked = {"architecture": "our best", "dataset": "digits"}
    assert client.post("/trainings/estimate", json=asked).status_code == 200
    assert client.patch(path, json={"name": None}).json()["name"] is None


def test_a_cursor_is_of_one_order(client: TestClient) -> None:
    for name in PUBLISHED:
        client.post("/architectures", json={"architecture": name})
    cursor = client.get("/architectures", params={"sort": "flops", "limit": 1}).json()["next"]
    for wrong in ({"sort": "params", "cursor": cursor}, {"cursor": cursor}, {"cursor": "bm8"}, {"cursor": "%"}):
        [error] = problem(client.get("/architectures", params=wrong), 422, "invalid_request")["errors"]
        assert error["parameter"] == "cursor"
