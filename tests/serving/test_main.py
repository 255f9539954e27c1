"""What the command says that cannot serve, and how it stops."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper

from serving.__main__ import main
from serving.addresses import address, bound
from serving.errors import CannotServe
from serving.network import Network
from serving.runtime import Session
from tests.api.networks import onnx_of_colours
from tests.serving.running import HOW, SIZE, lay_down, photo, running


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments, "--port", "0", "--grpc-port", "0"]) == 2
    return capsys.readouterr().err


def other_network() -> bytes:
    """One that an image classifier as it is exported here is not."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])], "neg", [value], [helper.make_tensor_value_info("y", 1, [1])]
    )
    content: bytes = helper.make_model(
        graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]
    ).SerializeToString()
    return content


def test_says_what_cannot_be_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DNA_DATABASE_URL", raising=False)
    birds = str(lay_down(tmp_path / "birds"))
    assert "For networks of the service set DNA_DATABASE_URL" in refused(capsys, "nothing")
    assert "holds no ONNX file of int8" in refused(capsys, birds, "--precision", "int8")
    assert "2 networks are called birds: write NAME=NETWORK" in refused(capsys, birds, f"birds={birds}")
    (tmp_path / "broken.zip").write_bytes(b"broken")
    assert "broken.zip cannot be read" in refused(capsys, str(tmp_path / "broken.zip"))
    (tmp_path / "birds" / "second.onnx").write_bytes(b"")
    assert "several networks: second.onnx, winner-1.onnx. Name the file itself" in refused(capsys, birds)
    assert "DNA_SERVE_MAX_BATCH: Input should be greater than 0" in refused(capsys, birds, "--max-batch", "0")


@pytest.mark.parametrize(
    ("onnx", "said"),
    [
        (b"broken", "cannot be loaded"),
        (other_network(), "has the inputs x and the outputs y, where an image classifier"),
        (onnx_of_colours(4), "does not tell as many classes apart as its description names"),
        (onnx_of_colours(3, batch=2), "takes 2 images at a time: export it with a free batch"),
    ],
    ids=["broken", "another", "other classes", "of two"],
)
def test_says_which_file_is_no_such_network(onnx: bytes, said: str) -> None:
    with pytest.raises(CannotServe, match=f"The ONNX file of birds {said}"):
        Session(Network("birds", onnx, HOW), threads=1)


def test_a_port_that_is_taken_is_said() -> None:
    with bound("127.0.0.1", 0, "REST", "--port") as taken:
        taken.listen()
        assert address(taken).startswith("127.0.0.1:")
        with pytest.raises(CannotServe, match="Choose another with --port; --port 0 takes a free one"):
            bound("127.0.0.1", taken.getsockname()[1], "REST", "--port")


def test_a_port_of_grpc_that_is_taken_ends_the_command(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [
            "serving",
            str(lay_down(tmp_path / "birds")),
            "--port",
            "0",
            "--grpc-port",
            str(taken.getsockname()[1]),
        ]
        ended = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Choose another with --grpc-port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_both_precisions_of_several_networks_side_by_side(tmp_path: Path) -> None:
    """From a folder with the file of 8 bits, and from a bundle, under a name that is given."""
    birds = lay_down(tmp_path / "birds")
    (birds / "winner-1.int8.onnx").write_bytes(onnx_of_colours(3, SIZE))
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("model.onnx", onnx_of_colours(3, SIZE))
        archive.writestr("model.int8.onnx", onnx_of_colours(3, SIZE))
        archive.writestr("architecture.json", (birds / "winner-1.json").read_text())
        archive.writestr("export.json", "{}")
    precisions = ("--precision", "fp32", "--precision", "int8")
    with zipfile.ZipFile(tmp_path / "model.triton.zip", "w") as archive:
        archive.writestr("birds/1/model.onnx", b"")
    with running(str(birds), f"my birds={tmp_path}", *precisions) as server:
        assert server.models == ["birds", "my-birds", "birds-int8", "my-birds-int8"]
        answers = [
            httpx.post(server.path(model, "classify"), content=photo()).json()["classes"] for model in server.models
        ]
        assert {answer[0]["name"] for answer in answers} <= {*HOW["classes"]}
        assert all(answer == answers[0] for answer in answers)


def test_a_request_that_is_being_answered_is_finished_before_the_server_stops(tmp_path: Path) -> None:
    images = np.zeros((1, 3, SIZE, SIZE), np.float32)
    head = b'{"inputs":[{"name":"images","datatype":"FP32","shape":[1,3,24,24],"data":'
    body = head + str(images.tolist()).encode() + b"}]}"
    with running(str(lay_down(tmp_path / "birds")), environment={"DNA_SERVE_STOP_SECONDS": "30"}) as server:
        address = urlsplit(server.path("birds"))
        connection = http.client.HTTPConnection(address.netloc, timeout=30)
        connection.putrequest("POST", address.path)
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Expect", "100-continue")
        connection.endheaders(head)
        # It says so when it reads what was sent: the request is in its hands.
        assert connection.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.5)
        connection.send(body.removeprefix(head))
        assert connection.getresponse().status == 200
        connection.close()
        assert server.process.wait(30) == 0
        assert server.process.stderr
        assert "Traceback" not in server.process.stderr.read()


def test_more_than_it_takes_in_hand_is_a_503(tmp_path: Path) -> None:
    """Pictures wait for the cores in hand already: of many at once some find no place."""
    limits = {"DNA_SERVE_MAX_WAITING": "1"}
    large = photo() + bytes(4_000_000)
    with running(str(lay_down(tmp_path / "birds")), "--max-batch", "1", environment=limits) as server:
        found: list[httpx.Response] = []

        def send() -> None:
            found.append(httpx.post(server.path("birds", "classify"), content=large, timeout=30))

        while not any(answer.status_code == 503 for answer in found):
            senders = [threading.Thread(target=send) for _ in range(8)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
        refused = next(answer for answer in found if answer.status_code == 503)
        assert refused.headers["retry-after"] == "1"
        assert "in a moment" in refused.json()["error"]
        assert {answer.status_code for answer in found} == {200, 503}
