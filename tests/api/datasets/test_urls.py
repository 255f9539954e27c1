"""Datasets that lie elsewhere: made by reference where the operator allows it, checked by a worker, searched on in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from dna_engine.images.shards.album import open_shards
from store import datasets
from store.blobs import BlobStore
from store.session import Sessions, transaction
from tests.api.problems import problem
from tests.checks import checked
from tests.dna_engine.images.shards.made import tar, web_dataset
from tests.dna_engine.images.test_timm_albums import write_mnist
from worker.datasets import lay_down


@pytest.fixture
def api_settings(api_settings: ApiSettings) -> ApiSettings:
    return api_settings.model_copy(update={"dataset_urls": "s3://sets torch/"})


@pytest.fixture(autouse=True)
def datasets_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the steps of this machine look for datasets."""
    monkeypatch.setenv("DNA_DATASETS", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def test_shards_in_s3_are_searched_on_where_they_lie(
    client: TestClient, s3: Any, sessions: Sessions, blobs: BlobStore, tmp_path: Path, datasets_dir: Path
) -> None:
    s3.put(str(tar(tmp_path / "a.tar", web_dataset())), "sets/birds/train-0.tar")
    s3.put(str(tar(tmp_path / "b.tar", web_dataset({0: [200], 1: [201, 0]}))), "sets/birds/val-0.tar")
    made = client.post("/datasets", data={"url": "s3://sets/birds/"})
    ready = checked(client, sessions, blobs, made, tmp_path / "work")
    assert (ready["name"], ready["kind"], ready["state"], ready["class_names"]) == (
        "birds",
        "shards",
        "ready",
        ["0", "1"],
    )
    assert (ready["num_train"], ready["num_test"]) == (10, 3)
    report = client.get("/datasets/birds/report").json()
    [twin] = [finding for finding in report["findings"] if finding["code"] == "contradictory_labels"]
    assert twin["names"] == ["val-0.tar/00002.png = train-0.tar/00000.png"]
    assert len(client.get("/datasets/birds/samples", params={"class": "1"}).json()["items"]) == 5
    assert client.post("/searches", json={"dataset": "birds"}).status_code == 201
    with transaction(sessions) as session:
        info = datasets.ready(session, "birds")
    lay_down(info, sessions, blobs, datasets_dir)
    train, test, _ = open_shards(info.location)
    assert (len(train.labels), test.picture(0).getpixel((0, 0))) == (10, (200, 0, 0))
    assert [path.name for path in (datasets_dir / "uploads" / info.location).iterdir()] == ["index.npz"]


def test_shards_without_labels_are_rejected_with_what_to_do(
    client: TestClient, s3: Any, sessions: Sessions, blobs: BlobStore, tmp_path: Path
) -> None:
    files = {name: content for name, content in web_dataset().items() if name.endswith(".png")}
    s3.put(str(tar(tmp_path / "a.tar", files)), "sets/a.tar")
    rejected = checked(client, sessions, blobs, client.post("/datasets", data={"url": "s3://sets/a.tar"}), tmp_path)
    assert rejected["state"] == "rejected"
    assert "10 of 10 pictures have no label (a.tar/00000.png" in rejected["error"]["message"]


def test_a_name_of_timms(
    client: TestClient, sessions: Sessions, blobs: BlobStore, tmp_path: Path, datasets_dir: Path
) -> None:
    write_mnist(datasets_dir / "FashionMNIST/raw", {"train": 40, "t10k": 20})
    made = client.post("/datasets", data={"url": "torch/fashion_mnist", "name": "clothes"})
    ready = checked(client, sessions, blobs, made, tmp_path / "work")
    assert (ready["kind"], ready["state"], ready["num_train"], ready["class_names"][0]) == (
        "timm",
        "ready",
        40,
        "T-shirt/top",
    )
    report = client.get("/datasets/clothes/report").json()
    assert (report["modes"], report["sizes"]["median"]) == ({"L": 60}, 28)
    assert client.post("/searches", json={"dataset": "clothes"}).status_code == 201


@pytest.mark.parametrize("url", ["s3://others/birds/", "http://127.0.0.1:9/a.tar", "hfds/org/birds", "file:///etc"])
def test_what_the_operator_does_not_allow(client: TestClient, url: str) -> None:
    refused = problem(client.post("/datasets", data={"url": url}), 422, "invalid_request")
    assert "DNA_DATASET_URLS" in refused["detail"]
    assert refused["errors"][0]["pointer"] == "#/url"


def test_one_of_a_file_a_folder_and_a_url(client: TestClient) -> None:
    problem(client.post("/datasets", data={"url": "s3://sets/a.tar", "folder": "/srv"}), 422, "invalid_request")
