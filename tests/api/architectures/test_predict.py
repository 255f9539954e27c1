"""Trying a trained network on a picture that is sent."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import numpy as np
import onnxruntime
import pytest
import redis
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from api.app import create_app
from api.architectures.answerers import Answerers
from api.rates import Rate
from api.settings import ApiSettings
from dna_engine.images.pictures.pixels import preprocessing
from dna_engine.images.pictures.prepare import prepare
from dna_engine.plans import Phase
from store.blobs import BlobStore
from store.session import Sessions
from tests.api.builders import FEW_TRIED, NO_ONNX, finish, new_training
from tests.api.conftest import LOCAL, Finished
from tests.api.networks import onnx_of_colours
from tests.api.problems import pointers, problem

JPEG = {"content-type": "image/jpeg"}


def photo() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG")
    return content.getvalue()


def path(network: str) -> str:
    return f"/architectures/{network}/predict"


def by(training: str) -> str:
    return f"/trainings/{training}/predict"


def test_the_answer_is_that_of_the_bundle_however_the_picture_is_sent(finished: Finished) -> None:
    network = finished.network("winner")
    found = finished.client.get(f"/architectures/{network}").json()["architecture"]["preprocessing"]
    model = finished.client.get(f"/architectures/{network}/download", params={"format": "onnx"}).content
    images = prepare(io.BytesIO(photo()), found)[None]  # type: ignore[arg-type]  # Pillow takes a file as well as a path.
    (logits,) = onnxruntime.InferenceSession(model).run(None, {"images": images})[0]
    shares = np.exp(logits) / np.exp(logits).sum()
    raw = finished.client.post(path(network), content=photo(), headers=JPEG)
    form = finished.client.post(path(network), files={"file": ("a photo", photo())}, params={"top_k": 10})
    assert (raw.status_code, form.status_code) == (200, 200), (raw.text, form.text)
    assert (raw.json()["architecture_id"], raw.json()["training_id"]) == (network, None)
    assert raw.json()["classes"] == form.json()["classes"][:5]
    best = np.argsort(-shares).tolist()
    assert [one["number"] for one in form.json()["classes"]] == best
    assert [one["name"] for one in form.json()["classes"]] == [found["classes"][number] for number in best]
    assert [one["probability"] for one in form.json()["classes"]] == pytest.approx(shares[best].tolist(), rel=1e-4)
    for kind in ({}, {"content-type": "application/octet-stream"}):
        assert finished.client.post(path(network), content=photo(), headers=kind).json() == raw.json()


def test_a_training_of_a_search_answers_as_the_network_does(finished: Finished) -> None:
    network = finished.client.get(f"/architectures/{finished.network('winner')}").json()
    training, top = network["test_training_id"], {"top_k": 3}
    assert training in network["trainings"]
    answers = [
        finished.client.post(to, content=photo(), headers=JPEG, params=top).json()
        for to in (path(network["id"]), by(training))
    ]
    assert answers[1] == answers[0] | {"training_id": training}
    unreadable = finished.client.post(by(training), files={"file": ("notes.jpg", b"No pixels.")})
    assert problem(unreadable, 422, "data_error")["detail"].startswith("notes.jpg cannot be read as a picture: ")
    problem(finished.client.post(by(network["id"]), content=photo(), headers=JPEG), 404, "not_found")


def test_what_is_no_picture_is_refused_with_the_reason(finished: Finished) -> None:
    network, client = finished.network("winner"), finished.client
    form = problem(client.post(path(network), files={"file": ("notes.jpg", b"No pixels.")}), 422, "data_error")
    assert form["detail"].startswith("notes.jpg cannot be read as a picture: ")
    raw = problem(client.post(path(network), content=b"No pixels.", headers=JPEG), 422, "data_error")
    assert raw["detail"].startswith("What was sent cannot be read as a picture: ")
    nothing = problem(client.post(path(network), headers=JPEG), 422, "invalid_request")
    assert pointers(nothing) == ["#/file"]
    as_json = client.post(path(network), json={"file": "photo.jpg"})
    assert "image/jpeg" in problem(as_json, 415, "unsupported_media_type")["detail"]
    for top_k in (0, 1001):
        problem(
            client.post(path(network), content=photo(), headers=JPEG, params={"top_k": top_k}), 422, "invalid_request"
        )


def test_a_field_beside_the_file_is_refused_and_said_where_it_goes(client: TestClient) -> None:
    def refused(**sent: Any) -> str:
        return str(problem(client.post(path(str(UUID(int=0))), **sent), 422, "invalid_request")["detail"])

    file = {"file": ("a.jpg", b"x")}
    assert refused(files=file, data={"topk": "3"}) == "topk: There is no such field. Did you mean ?top_k= in the URL?"
    assert refused(files={"image": b"x"}) == "image: There is no such field; there is file."


def test_a_network_that_cannot_answer_says_why(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    unknown = client.post(path(str(UUID(int=0))), content=photo(), headers=JPEG)
    problem(unknown, 404, "not_found")
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.SELECT)
    winner = client.get(f"/searches/{search}").json()["best"]["architecture_id"]
    early = client.post(path(winner), content=photo(), headers=JPEG)
    assert "in phase train" in problem(early, 409, "conflict")["detail"]
    body = {"budget": {"flops": 3_000_000}, "top_k": 7}
    *_, selected = client.post(f"/searches/{search}/select", json=body).json()["architectures"]
    never = client.post(path(selected["id"]), content=photo(), headers=JPEG)
    assert "POST /trainings trains it" in problem(never, 404, "not_found")["detail"]


def test_one_that_was_trained_alone_answers_as_the_newest_training_that_has_the_file(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    first = new_training(client, "dna-b", input_size=32)
    to = path(first["architecture_id"])
    queued = problem(client.post(to, content=photo(), headers=JPEG), 409, "conflict")["detail"]
    assert "no onnx of this network yet: the training is queued" in queued
    finish(sessions, blobs, UUID(first["id"]))
    later = new_training(client, "dna-b", input_size=32)
    answer = client.post(to, content=photo(), headers=JPEG).json()
    assert answer["training_id"] == first["id"]
    assert client.post(by(first["id"]), content=photo(), headers=JPEG).json() == answer
    waits = problem(client.post(by(later["id"]), content=photo(), headers=JPEG), 409, "conflict")["detail"]
    assert "no onnx of this network yet: the training is queued" in waits
    assert {one["name"] for one in answer["classes"]} <= set(map(str, range(10)))


def test_a_network_without_an_onnx_file_says_why(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search), onnx=False)
    winner = client.get(f"/searches/{search}").json()["best"]["architecture_id"]
    assert NO_ONNX in problem(client.post(path(winner), content=photo(), headers=JPEG), 404, "not_found")["detail"]


class TestLimits:
    @pytest.fixture
    def api_settings(self, api_settings: ApiSettings) -> ApiSettings:
        return api_settings.model_copy(
            update={"max_picture_bytes": 20_000, "decoding_bytes": 50_000, "predictions_at_once": 1}
        )

    @pytest.fixture
    def to(self, client: TestClient, sessions: Sessions, blobs: BlobStore) -> str:
        search = client.post("/searches", json=FEW_TRIED).json()["id"]
        finish(sessions, blobs, UUID(search))
        return path(client.get(f"/searches/{search}").json()["best"]["architecture_id"])

    def test_are_those_of_pictures(self, client: TestClient, to: str) -> None:
        assert len(photo()) < 20_000
        small, large = io.BytesIO(), io.BytesIO()
        Image.new("RGB", (50, 50)).save(small, "PNG")
        Image.new("RGB", (100, 100)).save(large, "PNG")
        assert client.post(to, content=small.getvalue(), headers=JPEG).status_code == 200
        refused = client.post(to, content=large.getvalue(), headers=JPEG)
        assert "Send it with fewer pixels" in problem(refused, 422, "data_error")["detail"]
        for sent in ({"content": bytes(20_001)}, {"files": {"file": bytes(20_001)}}):
            problem(client.post(to, **sent), 413, "payload_too_large")  # type: ignore[arg-type]

    def test_so_many_at_once(self, client: TestClient, to: str) -> None:
        assert client.portal
        assert isinstance(client.app, FastAPI)
        predictions = client.app.state.resources.predictions
        with ThreadPoolExecutor(1) as pool:
            with client.portal.wrap_async_context_manager(predictions.place()):
                second = pool.submit(client.post, to, content=photo(), headers=JPEG)
                with pytest.raises(TimeoutError):
                    second.result(timeout=0.3)
            assert second.result().status_code == 200


def test_networks_are_kept_loaded_up_to_a_bound(blobs: BlobStore) -> None:
    how = preprocessing(32, ["jay", "owl"])
    stored = [blobs.write(io.BytesIO(onnx_of_colours(2))) for _ in range(3)]
    answerers = Answerers(blobs, most_bytes=2 * stored[0].size)
    first, second = (answerers.get(blob, how) for blob in stored[:2])
    assert answerers.get(stored[0], how) is first
    answerers.get(stored[2], how)
    assert answerers.get(stored[0], how) is first
    assert answerers.get(stored[1], how) is not second, "the one that was asked longest ago has gone"
    tiny = Answerers(blobs, most_bytes=10)
    assert tiny.get(stored[0], how) is not tiny.get(stored[0], how)


def test_a_caller_may_try_so_often_a_minute(finished: Finished, shared_settings: ApiSettings) -> None:
    network = finished.network("winner")
    assert shared_settings.redis_url is not None
    alone = shared_settings.redis_url.removesuffix("/0") + "/9"  # Others of these tests count in the same Redis.
    settings = shared_settings.model_copy(update={"predictions_per_minute": 2, "redis_url": alone})
    with TestClient(create_app(settings), base_url=LOCAL) as client:
        training = client.get(f"/architectures/{network}").json()["test_training_id"]
        paths = [path(network), by(training), path(network)]
        answers = [client.post(to, content=photo(), headers=JPEG) for to in paths]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    said = problem(answers[2], 429, "too_many_requests")
    assert said["detail"].startswith("2 predictions a minute are taken from one caller.")
    assert 1 <= int(answers[2].headers["retry-after"]) <= 120


def test_without_redis_nobody_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    with redis.Redis.from_url("redis://127.0.0.1:1/0") as nowhere:
        rate = Rate(nowhere, "predictions", 1)
        for _ in range(2):
            rate.count("local")
    assert "nothing of dna:predictions is counted" in caplog.text
