"""A search from ``POST /searches`` to a downloaded network, and a training of that network alone, through a real API, a real Celery
worker and the real engine.
"""

from __future__ import annotations

import json
import zipfile
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from standardwebhooks import Webhook as Verifier

from dna_client import Client, onnx_digits
from dna_client.cli.results import PICTURES
from dna_engine.images.pictures.prepare import prepare
from tests.e2e.conftest import Done


def test_it_is_created_and_succeeds(done: Done) -> None:
    assert done.created.status_code == 201
    assert done.created.headers["location"].endswith(f"/searches/{done.search['id']}")
    assert (done.search["state"], done.search["progress"], done.search["phase"]) == ("succeeded", 1.0, "export")
    assert [step["key"] for step in done.search["steps"]] == [
        "teacher",
        "distill-1",
        "rate-1",
        "finalist-1",
        "finalist-2",
        "select",
        "train-winner",
        "train-lcnet_100",
        "export-winner",
        "pictures",
    ]
    assert {(step["state"], step["attempt"], step["device"]) for step in done.search["steps"]} == {
        ("succeeded", 1, "cpu")
    }


def test_the_service_around_the_engine_is_thin(done: Done) -> None:
    """No step waits for an engine to start, which takes longer than most steps: two, started beforehand, have done them all."""
    before, after = done.engines
    assert len(before) == 2
    assert after == before
    for step in done.search["steps"]:
        assert step["started_at"]
        assert step["finished_at"]
        started, finished = map(datetime.fromisoformat, (step["started_at"], step["finished_at"]))
        assert 0 < step["engine_seconds"] <= (finished - started).total_seconds()


def test_events_and_metrics_were_kept(done: Done) -> None:
    with Client(done.url) as client:
        events = list(client.events(done.search["id"]))
        metrics = client.metrics(done.search["id"])
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert any(event["type"] == "progress" for event in events)
    assert {"distill/b1c1/loss", "distill/b1c2/loss", "distill/b2c1/loss", "distill/b3c1/loss"} <= metrics.keys()


def test_a_webhook_was_told_of_it(done: Done) -> None:
    phases = list(dict.fromkeys(step["phase"] for step in done.search["steps"]))
    seen = done.told.wait(
        len(phases) + 2
    )  # Each phase, that it was created, that it runs; its end stands for the first phase.
    told = [Verifier(done.hook.get("secret", "")).verify(request.body, request.headers) for request in seen]
    told.sort(key=lambda message: message["timestamp"])
    assert [message["type"] for message in told] == [
        "search.created",
        "search.running",
        *["search.phase"] * (len(phases) - 1),
        "search.succeeded",
    ]
    assert {message["data"]["id"] for message in told} == {done.search["id"]}


def test_the_network_runs_in_onnxruntime_as_well_as_was_said(
    done: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = done.search["best"]
    assert best is not None
    description, model = tmp_path / "winner.json", tmp_path / "winner.onnx"
    with Client(done.url) as client:
        client.download(best["architecture_id"], "json", description)
        client.download(best["architecture_id"], "onnx", model)
    assert onnx_digits.main(description, model) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 360
    assert found["accuracy"] == pytest.approx(best["test_accuracy"], abs=1e-9)


def test_the_winner_is_tried_on_a_picture_as_its_bundle_is(done: Done, tmp_path: Path) -> None:
    assert done.search["best"] is not None
    winner = done.search["best"]["architecture_id"]
    picture = tmp_path / "digit.png"
    Image.fromarray((load_digits().images[0] * 15).astype(np.uint8)).save(picture)
    with Client(done.url) as client:
        bundle = client.download(winner, "bundle", tmp_path).path
        answer = client.predict(winner, picture, top_k=10)
    with zipfile.ZipFile(bundle) as files:
        model, description = files.read("model.onnx"), json.loads(files.read("architecture.json"))
    how = description["preprocessing"]
    images = prepare(picture, how)[None]
    (logits,) = onnxruntime.InferenceSession(model).run(None, {"images": images})[0]
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert [found["number"] for found in answer["classes"]] == np.argsort(-shares).tolist()
    assert [found["name"] for found in answer["classes"]] == [how["classes"][n] for n in np.argsort(-shares)]
    assert [found["probability"] for found in answer["classes"]] == pytest.approx(np.sort(shares)[::-1], rel=1e-4)


def test_the_pictures_show_the_search(done: Done, tmp_path: Path) -> None:
    """Every series and the frontier are paths of some length in them."""
    with Client(done.url) as client:
        files = [client.picture(done.search["id"], name, tmp_path) for name in PICTURES]
    for file in files:
        root = ElementTree.parse(file.path).getroot()
        assert sum(len(element.get("d", "")) for element in root.iter() if element.tag.endswith("path")) > 1000


def test_the_winner_is_trained_alone_stopped_and_gone_on_with(
    done: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert done.search["best"] is not None
    winner = done.search["best"]["architecture_id"]
    # Larger images and the smallest batches: an epoch that lasts longer than a cancel takes.
    spec = {"architecture": winner, "dataset": "digits", "epochs": 1, "batch_size": 2, "input_size": 32}
    with Client(done.url) as client:
        training_id = client.trainings.create(spec)["id"]
        for event in client.trainings.events(training_id):
            if event["type"] == "progress" and event["data"]["done"]:
                break
        client.trainings.cancel(training_id)
        stopped = [event["data"]["state"] for event in client.trainings.events(training_id) if event["type"] == "state"]
        before = client.trainings.get(training_id)["steps"][0]
        client.trainings.resume(training_id)
        training = client.trainings.wait(training_id)
        listed = client.trainings.list(search=done.search["id"])["items"]
        for kind in ("json", "onnx"):
            client.trainings.download(training_id, kind, tmp_path / f"network.{kind}")
    assert stopped == ["queued", "running", "running", "cancelled"]
    assert 0 < before["done"] < before["total"]
    assert [(step["key"], step["state"]) for step in training["steps"]] == [
        ("train", "succeeded"),
        ("export", "succeeded"),
    ]
    assert [(found["network"], found["search_id"]) for found in listed] == [
        ("network", None),
        ("lcnet_100", done.search["id"]),
        ("winner", done.search["id"]),
    ]
    assert onnx_digits.main(tmp_path / "network.json", tmp_path / "network.onnx") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] == pytest.approx(training["test_accuracy"], abs=1e-9)


def test_the_winner_is_told_beside_a_standard_network(done: Done, tmp_path: Path) -> None:
    search = done.search
    [reference] = [network for network in search["architectures"] if network["role"] == "reference"]
    [beside] = search["beside"]
    assert (reference["name"], beside["network"]) == ("lcnet_100", "lcnet_100")
    assert search["best"] is not None
    assert beside["flops_ratio"] == pytest.approx(reference["flops"] / search["best"]["flops"])
    assert reference["test_accuracy"] is not None
    assert search["best"]["test_accuracy"] is not None
    assert beside["difference"] == pytest.approx(search["best"]["test_accuracy"] - reference["test_accuracy"])
    with Client(done.url) as client:
        kept = client.get_architecture(reference["id"])
        bundle = client.download(search["best"]["architecture_id"], "bundle", tmp_path).path
    assert [file["format"] for file in kept["files"]] == ["json", "safetensors"]
    with zipfile.ZipFile(bundle) as files:
        assert beside["says"] in files.read("README.md").decode()


def test_the_winners_weights_are_where_another_training_begins(done: Done) -> None:
    assert done.search["best"] is not None
    reached = done.search["best"]["test_accuracy"]
    spec = {"dataset": "digits", "epochs": 1, "batch_size": 128, "learning_rate": 0.0001, "flip": False}
    with Client(done.url) as client:
        [before] = [
            training
            for training in client.trainings.list(search=done.search["id"])["items"]
            if (training["network"], training["search_id"]) == ("winner", done.search["id"])
        ]
        made = client.trainings.create(spec | {"start": {"training": before["id"]}})
        found = client.trainings.wait(made["id"])
    assert found["values"]["start"] == "transferred"
    assert found["architecture_id"] == done.search["best"]["architecture_id"]
    assert reached is not None
    assert found["test_accuracy"] is not None
    assert found["test_accuracy"] > 0.8 * reached, "an epoch from scratch at such a rate reaches what guessing does"
