"""The files of a trained network, by the training that left them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from dna_engine.plans import Phase
from store import flow, jobs
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.builders import ENDS, NO_ONNX, WEIGHTS, finish, new_training, winner
from tests.api.conftest import Finished
from tests.api.problems import problem
from tests.store.builders import new_worker, queued, take


@pytest.fixture
def training(client: TestClient, sessions: Sessions, blobs: BlobStore) -> dict[str, Any]:
    """One alone, queued."""
    return new_training(client, winner(client, sessions, blobs))


def refusals(client: TestClient, training: dict[str, Any], status: int, kind: str) -> list[str]:
    """Why there are no files, by the formats of those that are stored."""
    path = f"/trainings/{training['id']}/download"
    return [
        problem(client.get(path, params={"format": file}), status, kind)["detail"]
        for file in ("safetensors", "onnx", "onnx-int8", "triton", "bundle")
    ]


@pytest.mark.parametrize("kind", ENDS)
def test_a_download_is_what_the_training_and_its_headers_say(trained: Finished, kind: str) -> None:
    response = trained.get("/download", format=kind)
    training = trained.get("").json()
    file = next(file for file in training["files"] if file["format"] == kind)
    digest = hashlib.sha256(response.content)
    assert response.status_code == 200
    assert (len(response.content), digest.hexdigest()) == (file["size"], file["sha256"])
    assert response.headers["etag"] == f'"{file["sha256"]}"'
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert response.headers["content-disposition"] == f'attachment; filename="alone-{trained.id[-8:]}{ENDS[kind]}"'
    if kind == "safetensors":
        assert response.content == WEIGHTS
    if kind == "json":
        assert response.json() == training["spec"]["architecture"]


@pytest.mark.parametrize(
    ("header", "start", "stop"), [("bytes=0-9", 0, 10), ("bytes=1000000-1100000", 1_000_000, 1_100_001), ("bytes=-16", len(WEIGHTS) - 16, None)]
)  # fmt: skip
def test_parts_of_a_file(trained: Finished, header: str, start: int, stop: int | None) -> None:
    path = f"/trainings/{trained.id}/download"
    response = trained.client.get(path, params={"format": "safetensors"}, headers={"range": header})
    part = WEIGHTS[start:stop]
    assert (response.status_code, response.content) == (206, part)
    assert response.headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{len(WEIGHTS)}"
    outside = {"range": f"bytes={len(WEIGHTS)}-"}
    refused = trained.client.get(path, params={"format": "safetensors"}, headers=outside)
    problem(refused, 416, "range_not_satisfiable")
    known = {"if-none-match": response.headers["etag"]}
    assert trained.client.get(path, params={"format": "safetensors"}, headers=known).status_code == 304


@pytest.mark.parametrize("kind", ["pt", "../network"])
def test_other_formats_are_refused(trained: Finished, kind: str) -> None:
    refused = problem(trained.get("/download", format=kind), 422, "invalid_request")
    assert refused["errors"][0]["parameter"] == "format"


def test_one_of_a_search_has_the_files_of_its_network(finished: Finished) -> None:
    network = finished.network("winner")
    shown = finished.client.get(f"/architectures/{network}").json()
    training = finished.client.get(f"/trainings/{shown['trainings'][0]}").json()
    assert training["files"] == shown["files"]
    for file in training["files"]:
        params = {"format": file["format"]}
        mine = finished.client.get(f"/trainings/{training['id']}/download", params=params)
        assert mine.content == finished.client.get(f"/architectures/{network}/download", params=params).content


def test_before_it_is_trained_there_is_its_description_alone(
    client: TestClient, sessions: Sessions, blobs: BlobStore, training: dict[str, Any]
) -> None:
    said = refusals(client, training, 409, "conflict")
    assert said[0] == "There is no safetensors of this network yet: the training is queued, in phase train."
    assert client.get(f"/trainings/{training['id']}/download").json() == training["spec"]["architecture"]
    finish(sessions, blobs, UUID(training["id"]), until=Phase.TRAIN)
    path = f"/trainings/{training['id']}/download"
    assert client.get(path, params={"format": "safetensors"}).content == WEIGHTS
    late = problem(client.get(path, params={"format": "onnx"}), 409, "conflict")
    assert late["detail"].endswith("the training is running, in phase export.")
    assert [file["format"] for file in client.get(f"/trainings/{training['id']}").json()["files"]] == [
        "json",
        "safetensors",
    ]


def test_one_that_ends_without_an_onnx_file_says_why(
    client: TestClient, sessions: Sessions, blobs: BlobStore, training: dict[str, Any]
) -> None:
    finish(sessions, blobs, UUID(training["id"]), onnx=False)
    shown = client.get(f"/trainings/{training['id']}").json()
    assert (shown["state"], [file["format"] for file in shown["files"]]) == (
        "succeeded",
        ["json", "safetensors", "bundle"],
    )
    refused = client.get(f"/trainings/{training['id']}/download", params={"format": "onnx"})
    assert NO_ONNX in problem(refused, 404, "not_found")["detail"]


def test_after_it_has_failed_there_is_its_description_alone(
    client: TestClient, sessions: Sessions, training: dict[str, Any]
) -> None:
    with transaction(sessions) as session:
        [step] = queued(session, jobs.lock(session, UUID(training["id"])))
        error = {"code": "data_error", "message": "Image 3 is broken.", "param": "dataset"}
        flow.fail(session, take(session, step, new_worker(session)), error, engine_seconds=1.0, retry=False)
    assert (
        refusals(client, training, 404, "not_found")[0]
        == "The training has failed but left no safetensors of this network."
    )
    assert client.get(f"/trainings/{training['id']}/download").status_code == 200


def test_after_it_was_cancelled_there_is_its_description_alone(client: TestClient, training: dict[str, Any]) -> None:
    client.post(f"/trainings/{training['id']}/cancel")
    assert (
        refusals(client, training, 404, "not_found")[1]
        == "The training was cancelled but left no onnx of this network."
    )


def test_of_a_training_that_does_not_exist(shared: TestClient, finished: Finished) -> None:
    for nobody in ("0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10", finished.id, finished.network("winner")):
        problem(shared.get(f"/trainings/{nobody}/download"), 404, "not_found")


@pytest.mark.parametrize(
    ("shown", "media_type", "text"),
    [
        ("json", "application/json", '{"classes":["0","1"],"matrix":[[3,1],[0,4]]}'),
        ("svg", "image/svg+xml", "content of network/confusion.svg"),
    ],
)
def test_the_confusion_matrix_is_shown_and_comes_when_it_is_trained(
    trained: Finished, client: TestClient, training: dict[str, Any], shown: str, media_type: str, text: str
) -> None:
    response = trained.get("/confusion", format=shown)
    assert (response.text, response.headers["content-type"]) == (text, media_type)
    assert response.headers["content-disposition"] == f'inline; filename="confusion-{trained.id}.{shown}"'
    path = f"/trainings/{training['id']}"
    assert "queued" in problem(client.get(f"{path}/confusion?format={shown}"), 409, "conflict")["detail"]
    client.post(f"{path}/cancel")
    assert "cancelled" in problem(client.get(f"{path}/confusion?format={shown}"), 404, "not_found")["detail"]
