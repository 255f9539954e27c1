"""Both protocols of a running server, driven by clients that others wrote: tritonclient, and plain HTTP."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from PIL import Image
from tritonclient.utils import InferenceServerException

from dna_engine.answer import softmax
from dna_engine.images.pictures.prepare import prepare
from tests.api.networks import onnx_of_colours
from tests.serving.running import CLASSES, HOW, SIZE, Running, lay_down, logits_of, noise, photo, running
from tests.untidy_pictures import bomb, cut, saved

ONNX = onnx_of_colours(3, SIZE)
#: Of pixels, not of bytes.
LARGE = saved(Image.new("RGB", (400, 300)), "PNG")
PROTOCOLS = [tritonclient.http, tritonclient.grpc]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two networks side by side: one that takes pictures, one of which only the file is known, with another number of classes."""
    folder = tmp_path_factory.mktemp("networks")
    (folder / "plain.onnx").write_bytes(onnx_of_colours(12, SIZE))
    limits = {
        "DNA_SERVE_MAX_WAITING": "32",
        "DNA_SERVE_MAX_REQUEST_BYTES": "1000000",
        "DNA_MAX_PICTURE_BYTES": "20000",
        "DNA_DECODING_BYTES": "200000",
    }
    birds = lay_down(folder / "birds")
    with running(str(birds), str(folder / "plain.onnx"), "--max-batch", "4", environment=limits) as found:
        yield found


@pytest.fixture(params=PROTOCOLS, ids=["http", "grpc"])
def protocol(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def client(protocol: Any, server: Running) -> Iterator[Any]:
    address = server.grpc if protocol is tritonclient.grpc else server.url.removeprefix("http://")
    with protocol.InferenceServerClient(address) as connected:
        yield connected


def tensor(protocol: Any, name: str, values: np.ndarray[Any, Any], kind: str) -> Any:
    made = protocol.InferInput(name, list(values.shape), kind)
    made.set_data_from_numpy(values)
    return made


def ask(protocol: Any, client: Any, model: str, values: np.ndarray[Any, Any], **options: Any) -> Any:
    """The answer to images or picture files."""
    kind, name = ("BYTES", "image") if values.dtype == object else ("FP32", "images")
    return client.infer(model, [tensor(protocol, name, values, kind)], **options)


def pictures(*contents: bytes) -> np.ndarray[Any, Any]:
    return np.array(contents, dtype=object)


def shares_of(*contents: bytes) -> np.ndarray[Any, Any]:
    """Probabilities as a bundle's own code comes to them, with onnxruntime alone."""
    images = np.stack([prepare(io.BytesIO(content), HOW) for content in contents])  # type: ignore[arg-type]
    return softmax(logits_of(ONNX, images))


def test_says_what_it_serves(protocol: Any, client: Any, server: Running) -> None:
    assert server.models == ["birds", "plain"]
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("birds")
    as_json = {} if protocol is tritonclient.http else {"as_json": True}
    found = client.get_model_metadata("birds", **as_json)
    shapes = {one["name"]: (one["datatype"], [int(side) for side in one["shape"]]) for one in found["inputs"]}
    assert shapes == {"images": ("FP32", [-1, 3, SIZE, SIZE]), "image": ("BYTES", [-1])}
    assert [one["name"] for one in found["outputs"]] == ["logits", "classes", "probabilities"]
    assert [one["name"] for one in client.get_model_metadata("plain", **as_json)["inputs"]] == ["images"]
    assert client.get_server_metadata(**as_json)["name"] == "dna-automl"


def test_a_tensor_is_answered_as_onnxruntime_answers_it(protocol: Any, client: Any) -> None:
    for model, classes in (("birds", 3), ("plain", 12)):
        found = ask(protocol, client, model, noise(9))
        expected = logits_of(onnx_of_colours(classes, SIZE), noise(9))
        assert np.abs(found.as_numpy("logits") - expected).max() < 1e-5
        best = np.argsort(-expected, 1)[:, :5]
        names = found.as_numpy("classes").astype(str).tolist()
        assert names == np.array(CLASSES if classes == 3 else range(12))[best].astype(str).tolist()
        shares = np.take_along_axis(softmax(expected), best, 1)
        assert found.as_numpy("probabilities") == pytest.approx(shares, rel=1e-4)


def test_a_picture_is_answered_as_its_bundle_answers_it(protocol: Any, client: Any) -> None:
    found = ask(protocol, client, "birds", pictures(photo(1), photo(2, "PNG")))
    shares = shares_of(photo(1), photo(2, "PNG"))
    best = np.argsort(-shares, 1)
    assert found.as_numpy("classes").astype(str).tolist() == np.array(CLASSES)[best].tolist()
    assert found.as_numpy("probabilities") == pytest.approx(np.take_along_axis(shares, best, 1), rel=1e-4)


def test_only_the_outputs_that_are_asked_for_are_sent(protocol: Any, client: Any) -> None:
    wanted = [protocol.InferRequestedOutput("classes")]
    found = ask(protocol, client, "birds", pictures(photo()), outputs=wanted, parameters={"top_k": 1})
    assert found.as_numpy("classes").shape == (1, 1)
    assert found.as_numpy("logits") is None
    with pytest.raises(InferenceServerException, match="no output score; there are logits, classes, probabilities"):
        ask(protocol, client, "birds", noise(1), outputs=[protocol.InferRequestedOutput("score")])


def test_requests_that_come_together_are_answered_as_each_alone(protocol: Any, client: Any, server: Running) -> None:
    address = server.grpc if protocol is tritonclient.grpc else server.url.removeprefix("http://")

    def one(seed: int) -> np.ndarray[Any, Any]:
        with protocol.InferenceServerClient(address) as connected:
            found: np.ndarray[Any, Any] = ask(protocol, connected, "birds", noise(1 + seed % 3, seed)).as_numpy(
                "logits"
            )
            return found

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(one, range(24)))
    for seed, found in enumerate(answers):
        assert np.abs(found - logits_of(ONNX, noise(1 + seed % 3, seed))).max() < 1e-5


@pytest.mark.parametrize(
    ("model", "name", "kind", "values", "said"),
    [
        ("crows", "images", "FP32", noise(1), "crows does not exist"),
        ("birds", "image_bytes", "FP32", noise(1), "Send one input, images or image, not image_bytes"),
        ("birds", "images", "FP64", noise(1).astype(np.float64), "The datatype of images is FP32, not FP64"),
        ("birds", "images", "FP32", noise(1)[:, :, :9], r"The shape of images is \[any, 3, 24, 24\], not \[1, 3, 9, 24\]"),
        ("birds", "images", "FP32", noise(1)[0], r"not \[3, 24, 24\]"),
        ("birds", "images", "FP32", noise(33), "A request may bring 32 images, not 33: send several"),
        ("birds", "images", "FP32", noise(1) * np.float32(np.nan), "is no number"),
        ("plain", "image", "BYTES", pictures(b"a"), "Send one input, images, not image"),
        ("birds", "image", "BYTES", pictures(b"Not a picture."), "Picture 1 cannot be read as a picture"),
        ("birds", "image", "BYTES", pictures(photo(), cut("JPEG")), "Picture 2 cannot be read as a picture"),
        ("birds", "image", "BYTES", pictures(bomb()), "DecompressionBombError"),
        ("birds", "image", "BYTES", pictures(LARGE), "too large: decoding it takes .* Send it with fewer pixels"),
        ("birds", "image", "BYTES", pictures(bytes(20_001)), "Picture 1 has 20,001 bytes, more than 20,000"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said(
    protocol: Any, client: Any, model: str, name: str, kind: str, values: np.ndarray[Any, Any], said: str
) -> None:
    with pytest.raises(InferenceServerException, match=said) as refused:
        client.infer(model, [tensor(protocol, name, values, kind)])
    missing = model == "crows"
    expected = ("404", "StatusCode.NOT_FOUND") if missing else ("400", "StatusCode.INVALID_ARGUMENT")
    assert refused.value.status() in expected


def test_requests_that_are_too_large_are_not_read(server: Running) -> None:
    refused = httpx.post(server.path("birds"), content=bytes(1_000_001))
    assert (refused.status_code, refused.json()) == (413, {"error": "The body is larger than 1,000,000 bytes."})
    in_pieces = httpx.post(server.path("birds", "classify"), content=iter([bytes(600_000)] * 2))
    assert in_pieces.status_code == 413
    with tritonclient.grpc.InferenceServerClient(server.grpc) as connected:
        large = np.zeros((100, 3, SIZE, SIZE * 3), np.float32)
        with pytest.raises(InferenceServerException, match="larger than max"):
            ask(tritonclient.grpc, connected, "birds", large)


# --- plain HTTP


def test_a_picture_is_sent_as_it_is(server: Running) -> None:
    expected = shares_of(photo())[0]
    order = np.argsort(-expected)
    for kind in ({}, {"content-type": "image/jpeg"}, {"content-type": "application/x-www-form-urlencoded"}):
        answer = httpx.post(server.path("birds", "classify"), content=photo(), headers=kind, params={"top_k": 2})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["model_name"] == "birds"
        assert [one["name"] for one in found["classes"]] == [CLASSES[number] for number in order[:2]]
        assert [one["probability"] for one in found["classes"]] == pytest.approx(expected[order[:2]], rel=1e-4)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"content": b"GIF89a"}, 400, "Picture 1 cannot be read as a picture"),
        ({"content": LARGE}, 400, "Send it with fewer pixels"),
        ({"content": b""}, 400, "curl --data-binary @photo.jpg"),
        ({"files": {"file": photo()}}, 400, "curl --data-binary @photo.jpg"),
        ({"content": photo(), "params": {"top_k": 0}}, 400, "top_k: Input should be greater than or equal to 1"),
    ],
    ids=["broken", "large", "nothing", "form", "no class"],
)
def test_what_is_no_picture_is_refused_in_words(server: Running, sent: Any, status: int, said: str) -> None:
    refused = httpx.post(server.path("birds", "classify"), **sent)
    assert refused.status_code == status
    assert said in refused.json()["error"]


def test_json_holds_numbers_nested_or_flat_and_pictures_in_base64(server: Running) -> None:
    images = noise(2)
    for data in (images.tolist(), images.reshape(-1).tolist()):
        asked = {"name": "images", "datatype": "FP32", "shape": list(images.shape), "data": data}
        answer = httpx.post(server.path("birds"), json={"id": "seven", "inputs": [asked]})
        assert answer.status_code == 200, answer.text
        outputs = {one["name"]: one for one in answer.json()["outputs"]}
        found = np.array(outputs["logits"]["data"]).reshape(outputs["logits"]["shape"])
        assert np.abs(found - logits_of(ONNX, images)).max() < 1e-5
        assert answer.json()["id"] == "seven"
    text = base64.b64encode(photo()).decode()
    asked = {"name": "image", "datatype": "BYTES", "shape": [1, 1], "data": [text]}
    answer = httpx.post(server.path("birds"), json={"inputs": [asked], "outputs": [{"name": "probabilities"}]})
    [shares] = answer.json()["outputs"]
    assert shares["data"] == pytest.approx(sorted(shares_of(photo())[0], reverse=True), rel=1e-4)


def images_of(**fields: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "images", "datatype": "FP32", "shape": [1, 3, SIZE, SIZE], "data": [1], **fields}]}


def pictures_of(data: Any, **fields: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": data, **fields}]}


BEHIND = {"parameters": {"binary_data_size": 6}}


@pytest.mark.parametrize(
    ("document", "behind", "said"),
    [
        (b"{", b"", "The body is not JSON"),
        (b"[" * 100_000, b"", "The body is not JSON"),
        (b"3", b"", "Input should be"),
        ({"inputs": "images"}, b"", "inputs: Input should be a valid list"),
        ({"inputs": []}, b"", "Send one input, images or image, not none"),
        ({"inputs": [{"name": "images"}]}, b"", "inputs.0.shape: Field required"),
        (images_of(), b"", "is not 1,728 values of FP32, as its shape says"),
        (images_of(data=["a"] * 3 * SIZE * SIZE), b"", "is not 1,728 values of FP32"),
        (images_of(data=[[1, 2], [3]]), b"", "is not 1,728 values of FP32"),
        (images_of(data=[10**400] * 3 * SIZE * SIZE), b"", "is not 1,728 values of FP32"),
        (images_of(shape=[-1, 3, SIZE, SIZE]), b"", "The shape of images is [any, 3, 24, 24], not [-1, 3, 24, 24]"),
        (images_of(shape=[0, 3, SIZE, SIZE]), b"", "not [0, 3, 24, 24]"),
        (images_of(datatype="FP32X"), b"", "The datatype of images is FP32, not FP32X"),
        (pictures_of(["%%%"]), b"", "A picture in JSON is written in base64"),
        (pictures_of([3]), b"", "A picture in JSON is a text in base64, not int"),
        (pictures_of([], **BEHIND), struct.pack("<Ih", 99, 0), "is not 1 values of BYTES"),
        (pictures_of(["QUJD"], **BEHIND), b"123456", "in the JSON or behind it, not both"),
        (pictures_of([], **BEHIND), b"12", "2 bytes follow the JSON, not as many as binary_data_size says"),
        (pictures_of([], parameters={"binary_data_size": -1}), b"", "binary_data_size is a number of bytes"),
        (pictures_of([], parameters={"binary_data_size": "6"}), b"123456", "binary_data_size is a number of bytes"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_bodies_that_are_no_requests_are_refused_in_words(
    server: Running, document: Any, behind: bytes, said: str
) -> None:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"inference-header-content-length": str(len(text))}
    kinds = ({**headers}, {}, {"content-type": "application/json"}) if not behind else (headers,)
    for kind in kinds:
        refused = httpx.post(server.path("birds"), content=text + behind, headers=kind)
        assert refused.status_code == 400, refused.text
        assert said in refused.json()["error"] or "application/json" in kind.values()


def test_what_is_served_is_fixed_and_has_no_versions(server: Running) -> None:
    for path in ("/v2/repository/models/birds/unload", "/v2/repository/models/birds/load"):
        assert httpx.post(server.url + path).status_code == 501
    assert httpx.get(server.url + "/v2/models/birds/versions/1").status_code == 501
    with (
        tritonclient.grpc.InferenceServerClient(server.grpc) as connected,
        pytest.raises(InferenceServerException, match="until the server stops") as refused,
    ):
        connected.unload_model("birds")
    assert refused.value.status() == "StatusCode.UNIMPLEMENTED"
    assert httpx.get(server.path("birds", "ready")).json() == {"name": "birds", "ready": True}
    length = httpx.post(server.path("birds"), content=b"{}", headers={"inference-header-content-length": "3"})
    assert "says how many of the 2 bytes are JSON" in length.json()["error"]
    zipped = httpx.post(server.path("birds"), content=b"{}", headers={"content-encoding": "gzip"})
    assert (zipped.status_code, "not decompressed" in zipped.json()["error"]) == (400, True)
    assert httpx.get(server.url + "/v3").json() == {"error": "Not Found"}


def test_prometheus_is_told(server: Running) -> None:
    def figures() -> dict[str, float]:
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[:1] != "#")}

    before = figures()
    httpx.post(server.path("birds", "classify"), content=photo())
    httpx.post(server.path("birds", "classify"), content=b"Not a picture.")
    after = figures()
    for name in (
        'dna_serve_requests_total{model="birds",outcome="answered"}',
        'dna_serve_requests_total{model="birds",outcome="refused"}',
        'dna_serve_images_total{model="birds"}',
        'dna_serve_batch_images_count{model="birds"}',
        'request_predict_seconds_count{model_name="birds"}',
    ):
        assert after[name] - before.get(name, 0) == 1, name
    assert after['dna_serve_request_seconds_count{model="birds"}'] >= 2
