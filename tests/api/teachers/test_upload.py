"""Weights that are sent: checked before they exist, refused with what is wrong, and nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import torch
from safetensors.torch import save
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from dna_engine.catalogue import catalogue
from store import artifacts, keys
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.conftest import LOCAL
from tests.api.problems import pointers, problem
from tests.dna_engine.blockwise.models import random_model
from tests.store.kept import rows_and_files

WEIGHTS = save(random_model("resnet10t", num_classes=10).state_dict())


def send(
    client: TestClient | httpx.Client,
    weights: bytes = WEIGHTS,
    *,
    file: str = "mine.safetensors",
    key: str = "",
    **said: str,
) -> httpx.Response:
    return client.post(
        "/teachers",
        files={"file": (file, weights)},
        data={"model": "resnet10t"} | said,
        headers={"Idempotency-Key": key} if key else {},
    )


def sent(client: TestClient, **said: str) -> dict[str, Any]:
    response = send(client, **said)
    assert response.status_code == 201, response.text
    teacher: dict[str, Any] = response.json()
    return teacher


def test_a_search_begins_with_it(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    response = send(client)
    teacher = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"/teachers/{teacher['id']}")
    assert (teacher["name"], teacher["model"], teacher["num_classes"]) == ("mine", "resnet10t", 10)
    assert (teacher["mean"], teacher["std"]) == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    assert client.get(response.headers["location"]).json() == client.get("/teachers/mine").json() == teacher
    for named in ("mine", teacher["id"]):
        search = client.post("/searches", json={"dataset": "digits", "teacher": {"from": named}}).json()
        given = search["spec"]["teacher"]["given"]
        assert (given["kind"], given["source"], given["num_classes"]) == ("upload", teacher["id"], 10)
    with transaction(sessions) as session:
        found = artifacts.named(session, UUID(search["id"]), ["given.safetensors", "given.json"])
        read = {name: b"".join(blobs.read(artifacts.blob(artifact))) for name, artifact in found.items()}
    assert read["given.safetensors"] == WEIGHTS
    assert json.loads(read["given.json"]) == {
        "model": "resnet10t", "weights": "upload", "mean": teacher["mean"], "std": teacher["std"],
    }  # fmt: skip


def test_what_a_search_has_begun_with_stays(client: TestClient, sessions: Sessions, api_settings: ApiSettings) -> None:
    teacher = sent(client)
    search = client.post("/searches", json={"dataset": "digits", "teacher": {"from": "mine"}}).json()["id"]
    assert client.delete(f"/teachers/{teacher['id']}").status_code == 204
    problem(client.get("/teachers/mine"), 404, "not_found")
    named, there = rows_and_files(sessions, api_settings.artifacts)
    assert named == there
    assert len(there) == 2
    client.post(f"/searches/{search}/cancel")
    assert client.delete(f"/searches/{search}").status_code == 204
    assert rows_and_files(sessions, api_settings.artifacts) == (set(), set())


def test_it_is_listed_beside_the_catalogue(client: TestClient) -> None:
    sent(client, name="resnet17")
    sent(client, name="zoo", model="resnet10t.c3_in1k", mean="0.5,0.5,0.5", std="0.25,0.25,0.25")
    names, params = [], {"limit": "9"}
    while True:
        page = client.get("/teachers", params=params).json()
        names += [teacher["name"] for teacher in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert names == sorted([*catalogue(), "resnet17", "zoo"])
    (zoo,) = client.get("/teachers", params={"q": "zoo"}).json()["items"]
    assert (zoo["model"], zoo["mean"], zoo["std"]) == ("resnet10t.c3_in1k", [0.5] * 3, [0.25] * 3)
    assert zoo["blocks"] == client.get("/teachers/resnet10t").json()["blocks"]
    found = client.get("/teachers", params={"q": "resnet10t"}).json()["items"]
    assert [teacher["name"] for teacher in found] == ["resnet10t", "resnet17", "zoo"]


def test_its_answers_are_of_so_many_classes(client: TestClient) -> None:
    send(client, save(random_model("resnet10t", num_classes=7).state_dict()))
    asked: dict[str, Any] = {"dataset": "digits", "teacher": {"from": "mine"}, "retrain": {"distill": {}}}
    body = problem(client.post("/searches", json=asked), 422, "invalid_spec")
    assert "answers with 7 classes, digits has 10" in body["detail"]
    asked["teacher"]["weights"] = "finetune"
    assert client.post("/searches", json=asked).status_code == 201


@pytest.mark.parametrize(
    ("said", "pointer", "says"),
    [
        ({"model": "resnet99"}, "#/model", "Did you mean"),
        ({"model": "resnet18"}, "#/file", "missing: "),
        ({"model": ""}, "#/model", "Name the timm model"),
        ({"name": "a/b"}, "#/name", "cannot name a teacher"),
        ({"name": "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"}, "#/name", "no id"),
        ({"name": "resnet18"}, "#/name", "a model of timm"),
        ({"mean": "0.5"}, "#/mean", "three numbers"),
        ({"std": "0.1,0.1,zero"}, "#/std", "three numbers"),
        ({"std": "0.1,0.1,0"}, "#/std", "above 0"),
        ({"mean": "nan,0,0"}, "#/mean", "three numbers"),
        ({"mean": "1e300,0,0"}, "#/mean", "three numbers"),
        ({"std": "1e-300,1,1"}, "#/std", "three numbers"),
        ({"file": "mine.pth"}, "#/file", "Only safetensors are read"),
    ],
)
def test_what_is_refused_leaves_nothing(
    client: TestClient, api_settings: ApiSettings, said: dict[str, str], pointer: str, says: str
) -> None:
    response = send(client, **said)
    body = response.json()
    assert response.status_code == 422, body
    assert pointers(body) == [pointer]
    assert says in body["detail"]
    assert [path for path in Path(api_settings.data_dir).rglob("*") if path.is_file()] == []


def test_tensors_that_are_wrong_are_named(client: TestClient) -> None:
    tensors = random_model("resnet10t").state_dict()
    del tensors["bn1.weight"]
    tensors["more"] = torch.zeros(1)
    body = problem(send(client, save(tensors)), 422, "teacher_error")
    assert "missing: bn1.weight; surplus: more." in body["detail"]


def test_a_name_is_given_once(client: TestClient) -> None:
    sent(client)
    problem(send(client), 409, "name_taken")


def test_a_repeated_request_is_done_once(client: TestClient, sessions: Sessions, api_settings: ApiSettings) -> None:
    first, again = send(client, key="k"), send(client, key="k")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    problem(send(client, key="k", name="other"), 422, "idempotency_mismatch")
    problem(send(client, key="k", file="other.safetensors"), 422, "idempotency_mismatch")
    named, there = rows_and_files(sessions, api_settings.artifacts)
    assert named == there
    assert len(there) == 2


def test_no_form_and_no_file(client: TestClient) -> None:
    body = problem(client.post("/teachers", data={"model": "resnet10t"}), 422, "invalid_request")
    assert pointers(body) == ["#/file"]


def test_a_field_that_there_is_not_and_what_is_no_form(client: TestClient) -> None:
    refused = problem(send(client, nmae="mine"), 422, "invalid_request")
    assert refused["detail"] == "nmae: There is no such field. Did you mean name?"
    problem(client.post("/teachers", json={"model": "resnet10t"}), 415, "unsupported_media_type")


def test_timms_own_stay(client: TestClient) -> None:
    problem(client.delete("/teachers/resnet18"), 409, "illegal_transition")
    problem(client.delete("/teachers/nobody"), 404, "not_found")
    assert client.get("/teachers/resnet18").json()["id"] is None


def test_too_large_a_file_is_refused_while_it_comes_and_nobody_sends_without_a_key(
    api_settings: ApiSettings, sessions: Sessions
) -> None:
    with transaction(sessions) as session:
        _, key = keys.create(session, "sender")
    small = api_settings.model_copy(update={"max_upload_bytes": 10_000, "embedded": False})
    with TestClient(create_app(small), base_url=LOCAL, raise_server_exceptions=False) as client:
        problem(send(client), 401, "unauthorized")
        client.headers["Authorization"] = f"Bearer {key}"
        problem(send(client), 413, "payload_too_large")
