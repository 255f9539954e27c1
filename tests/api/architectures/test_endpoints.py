"""Networks and their files: read, downloaded whole and in parts, checked."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, update
from starlette.testclient import TestClient

from api.settings import ApiSettings
from dna_engine.plans import Phase
from dna_engine.space.architecture import Architecture
from store.blobs import BlobStore
from store.files import discard_loose
from store.session import Sessions, transaction
from store.tables import LooseFile
from tests.api.builders import ENDS, FEW_TRIED, NO_ONNX, WEIGHTS, finish
from tests.api.conftest import Finished
from tests.api.problems import problem
from tests.store.builders import TEST


def download(finished: Finished, kind: str, role: str = "winner", **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return finished.client.get(
        f"/architectures/{finished.network(role)}/download", params={"format": kind}, headers=names
    )


def test_a_network_shows_what_is_known_of_it(finished: Finished) -> None:
    for role in ("winner", "control"):
        network = finished.client.get(f"/architectures/{finished.network(role)}").json()
        assert (network["role"], network["search_id"]) == (role, finished.id)
        assert network["test_accuracy"] == 0.99
        assert network["test"] == TEST
        assert [file["format"] for file in network["files"]] == [*ENDS]
        compared = {file["format"]: (file["largest_difference"], file["same_answers"]) for file in network["files"]}
        assert (compared["onnx"], compared["safetensors"]) == ((1e-6, 1.0), (0.0, 1.0))
        assert compared["json"] == compared["bundle"] == (None, None)
        (training,) = network["trainings"]
        assert finished.client.get(f"/trainings/{training}").json()["architecture_id"] == network["id"]
        Architecture.from_json(network["architecture"])


def test_networks_are_listed_by_search_and_by_an_end_of_their_id(finished: Finished) -> None:
    winner, control = finished.network("winner"), finished.network("control")

    def listed(**params: str) -> dict[str, str]:
        page = finished.client.get("/architectures", params=params).json()
        return {network["id"]: network["role"] for network in page["items"]}

    for role, network in (("winner", winner), ("control", control)):
        assert listed(search=finished.id, role=role) == {network: role}
    assert listed(ref=winner[-8:]) == {winner: "winner"}
    assert listed(ref=winner[-8:], search=str(UUID(int=0))) == {}
    first = finished.client.get("/architectures", params={"search": finished.id, "limit": 1}).json()
    rest = finished.client.get("/architectures", params={"search": finished.id, "cursor": first["next"]}).json()
    assert first["items"][0]["id"] not in {network["id"] for network in rest["items"]}
    assert {network["search_id"] for network in (*first["items"], *rest["items"])} == {finished.id}


@pytest.mark.parametrize("kind", ENDS)
def test_a_download_is_what_its_headers_say(finished: Finished, kind: str) -> None:
    response = download(finished, kind)
    network = finished.client.get(f"/architectures/{finished.network('winner')}").json()
    file = next(file for file in network["files"] if file["format"] == kind)
    digest = hashlib.sha256(response.content)
    assert response.status_code == 200
    assert (len(response.content), digest.hexdigest()) == (file["size"], file["sha256"])
    assert response.headers["etag"] == f'"{file["sha256"]}"'
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert response.headers["content-length"] == str(file["size"])
    name = f"winner-of-digits-with-resnet10t-{network['id'][-8:]}{ENDS[kind]}"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    if kind == "safetensors":
        assert response.content == WEIGHTS
    if kind == "json":
        assert json.loads(response.content) == network["architecture"]


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=1000000-1100000", 1_000_000, 1_100_001),
        ("bytes=1535990-", 1_535_990, None),
        ("bytes=-16", -16, None),
        ("bytes=1535990-9999999999", 1_535_990, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_parts_of_a_file(finished: Finished, header: str, start: int, stop: int | None) -> None:
    response = download(finished, "safetensors", range=header)
    part = WEIGHTS[start:stop]
    first = WEIGHTS.index(part) if start >= 0 else len(WEIGHTS) + start
    first = start if start >= 0 else first
    assert response.status_code == 206
    assert response.content == part
    assert response.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(WEIGHTS)}"
    assert response.headers["content-length"] == str(len(part))
    assert response.headers["etag"] == f'"{hashlib.sha256(WEIGHTS).hexdigest()}"'


def test_a_broken_download_goes_on_where_it_broke(finished: Finished) -> None:
    whole = download(finished, "safetensors")
    rest = download(finished, "safetensors", range="bytes=500000-", if_range=whole.headers["etag"])
    assert whole.content[:500_000] + rest.content == WEIGHTS
    changed = download(finished, "safetensors", range="bytes=500000-", if_range='"another"')
    assert (changed.status_code, changed.content) == (200, WEIGHTS)


@pytest.mark.parametrize("header", ["bytes=1536000-", "bytes=99999999-", "bytes=-0"])
def test_parts_outside_the_file(finished: Finished, header: str) -> None:
    response = download(finished, "safetensors", range=header)
    problem(response, 416, "range_not_satisfiable")
    assert response.headers["content-range"] == f"bytes */{len(WEIGHTS)}"


@pytest.mark.parametrize(
    "header",
    [
        "bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5", "bytes=" + "9" * 50 + "-", "bytes=" + 50_000 * "0-0," + "0-0",
    ],
    ids=lambda header: header[:20],
)  # fmt: skip
def test_ranges_that_are_none_give_the_whole(finished: Finished, header: str) -> None:
    response = download(finished, "json", range=header)
    assert response.status_code == 200


def test_what_the_client_has_is_not_sent_again(finished: Finished) -> None:
    etag = download(finished, "onnx").headers["etag"]
    for header in (etag, f'"x", {etag}', "*"):
        response = download(finished, "onnx", if_none_match=header)
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", etag)
        assert {"content-disposition", "content-security-policy"} <= response.headers.keys(), (
            "what it is called may be new"
        )
    assert download(finished, "onnx", if_none_match='"x"').status_code == 200


def test_a_selected_network_has_its_description_only(finished: Finished) -> None:
    budget = {"budget": {"flops": 3_000_000}, "top_k": 7}
    *_, network = finished.client.post(f"/searches/{finished.id}/select", json=budget).json()["architectures"]
    path = f"/architectures/{network['id']}/download"
    assert finished.client.get(path).json() == network["architecture"]
    onnx = {"format": "onnx"}
    assert "only json" in problem(finished.client.get(path, params=onnx), 404, "not_found")["detail"]
    asked = {"architecture": network["id"], "dataset": "digits"}
    assert finished.client.post("/trainings", json=asked).status_code == 201
    said = problem(finished.client.get(path, params=onnx), 409, "conflict")["detail"]
    assert said == "There is no onnx of this network yet: the training is queued, in phase train."


def test_a_network_that_was_exported_without_an_onnx_file(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search), onnx=False)
    assert client.get(f"/searches/{search}").json()["state"] == "succeeded"
    winner = client.get(f"/searches/{search}").json()["best"]["architecture_id"]
    files = client.get(f"/architectures/{winner}").json()["files"]
    assert [file["format"] for file in files] == ["json", "safetensors", "bundle"]
    path = f"/architectures/{winner}/download"
    for kind in ("onnx", "triton"):
        assert NO_ONNX in problem(client.get(path, params={"format": kind}), 404, "not_found")["detail"]
    refused = problem(client.get(path, params={"format": "onnx-int8"}), 404, "not_found")["detail"]
    assert refused == "There is no onnx-int8 of this network: it would be made of the ONNX file, and there is none."
    for kind in ("json", "safetensors", "bundle"):
        assert client.get(path, params={"format": kind}).status_code == 200


def test_before_a_network_is_exported(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.SELECT)
    winner = client.get(f"/searches/{search}").json()["best"]["architecture_id"]
    path = f"/architectures/{winner}/download"
    assert client.get(path).status_code == 200
    assert "train" in problem(client.get(path, params={"format": "onnx"}), 409, "conflict")["detail"]
    client.post(f"/searches/{search}/cancel")
    assert "cancelled" in problem(client.get(path, params={"format": "onnx"}), 404, "not_found")["detail"]


def test_a_file_that_is_not_what_was_stored_is_not_handed_out(
    client: TestClient, sessions: Sessions, blobs: BlobStore, api_settings: ApiSettings
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search))
    path = f"/architectures/{client.get(f'/searches/{search}').json()['best']['architecture_id']}/download"
    for stored in _files(api_settings):
        stored.write_bytes(b"!" * stored.stat().st_size)
    problem(client.get(path, params={"format": "onnx"}), 500, "internal")
    for stored in _files(api_settings):
        stored.unlink()
    problem(client.get(path, params={"format": "onnx"}), 500, "internal")
    problem(client.get(path, params={"format": "onnx"}, headers={"range": "bytes=0-1"}), 500, "internal")


def _files(settings: ApiSettings) -> list[Path]:
    return [path for path in (settings.data_dir / "artifacts").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "params",
    [{"format": "pt"}, {"format": "../winner"}, {"format": "%2e%2e%2f"}, {"format": "#/../../etc"}, {"format": "file:///etc/passwd"}],
)  # fmt: skip
def test_other_formats_are_refused(finished: Finished, params: dict[str, Any]) -> None:
    response = finished.client.get(f"/architectures/{finished.network('winner')}/download", params=params)
    assert problem(response, 422, "invalid_request")["errors"][0]["parameter"] == "format"


@pytest.mark.parametrize(
    "way", ["../../..", "..%2f..%2f..", "%252e%252e%252f", "..%23/../..", "file:%2f%2f", "%00", "."]
)
def test_no_path_leads_to_a_file(finished: Finished, way: str) -> None:
    """Files are found by the ids of their rows; nothing of a request becomes a part of a path."""
    network = finished.network("winner")
    for path in (
        f"/architectures/{way}/etc/passwd/download",
        f"/architectures/{network}{way}/download",
        f"/architectures/{network}/{way}/etc/passwd",
    ):
        assert finished.client.get(path).status_code == 404, path
    problem(finished.client.get(f"/searches/{finished.id}/pictures/{way}passwd"), 404, "not_found")


def test_while_the_stored_files_are_away_it_says_when_to_come_back(
    client: TestClient, api_settings: ApiSettings, sessions: Sessions, blobs: BlobStore
) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search))
    network = client.get(f"/searches/{search}").json()["architectures"][0]["id"]
    store = api_settings.data_dir / "artifacts"
    store.rename(api_settings.data_dir / "elsewhere")
    store.touch()
    for path in (f"/architectures/{network}/download?format=safetensors", f"/searches/{search}/frontier"):
        answer = client.get(path)
        problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert client.delete(f"/searches/{search}").status_code == 204
    store.unlink()
    (api_settings.data_dir / "elsewhere").rename(store)
    assert any(path.is_file() for path in store.rglob("*"))
    with transaction(sessions) as session:
        session.execute(update(LooseFile).values(due_at=func.now()))  # The one that was tried waits for a while.
    discard_loose(sessions, blobs)
    assert not any(path.is_file() for path in store.rglob("*"))


def test_filters_take_costs_as_people_write_them(finished: Finished) -> None:
    def listed(**which: Any) -> list[str]:
        body = finished.client.get("/architectures", params={"search": finished.id, **which}).json()
        return [network["id"] for network in body["items"]]

    assert listed(flops_max="3M", params_min="0.2M") == listed(flops_max=3_000_000, params_min=200_000) != []
    refused = problem(finished.client.get("/architectures?flops_max=many"), 422, "invalid_request")
    assert "5.3M" in refused["errors"][0]["detail"]


def test_a_network_is_shown_layer_by_layer(finished: Finished) -> None:
    winner = finished.client.get(f"/architectures/{finished.network('winner')}").json()
    body = finished.client.get(f"/architectures/{winner['id']}/layers").json()
    assert body["input_size"] == winner["architecture"]["input_size"]
    for cost in ("flops", "params"):
        assert sum(layer[cost] for layer in body["items"]) == body[cost] == winner[cost]
    ops = [list(block["ops"]) for block in winner["architecture"]["blocks"]]
    for number, chosen in enumerate(ops, start=1):
        assert [layer["op"] for layer in body["items"] if layer["block"] == number] == chosen
    assert [body["items"][place]["stage"] for place in (0, -1)] == ["stem", "head"]


def test_the_layers_of_a_standard_network_are_not_known(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    body = {"dataset": "digits", "retrain": {"references": ["mobilenetv3_small_100"]}}
    search = client.post("/searches", json=body).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.SELECT)
    (standard,) = client.get("/architectures", params={"search": search, "role": "reference"}).json()["items"]
    refused = problem(client.get(f"/architectures/{standard['id']}/layers"), 409, "conflict")
    assert "mobilenetv3_small_100 is a standard network" in refused["detail"]
