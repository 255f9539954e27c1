"""Downloads from the real API through a network that breaks."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from dna_client import Client
from dna_client.download import announced_sha256, download
from dna_client.errors import CorruptDownload, ServerUnreachable
from dna_client.transport import Transport
from tests.api.builders import WEIGHTS
from tests.dna_client.conftest import PAUSES, Api
from tests.dna_client.proxy import proxy

DIGEST = "sha-256=" + base64.b64encode(hashlib.sha256(WEIGHTS).digest()).decode()


def winner(client: Client, finished: str) -> str:
    best = client.get_search(finished)["best"]
    assert best is not None
    return best["architecture_id"]


def test_goes_on_where_the_connection_broke(api: Api, client: Client, finished: str, tmp_path: Path) -> None:
    network = winner(client, finished)
    with proxy(api.url, cuts=[400_000, 300_000]) as broken, Client(broken.url, pauses=PAUSES) as other:
        file = other.download(network, "safetensors", tmp_path / "weights.safetensors")
        ranges = [request for request in broken.requests if b"range: bytes=" in request.lower()]
    assert (tmp_path / "weights.safetensors").read_bytes() == WEIGHTS
    assert file.size == len(WEIGHTS)
    assert len(ranges) == 2
    assert all(b"if-range: " in request.lower() for request in ranges)


def test_gives_up_and_leaves_nothing_behind(api: Api, client: Client, finished: str, tmp_path: Path) -> None:
    network = winner(client, finished)
    with proxy(api.url, cuts=[5] * 20) as broken, Client(broken.url, pauses=(0.01, 0.01)) as other:
        with pytest.raises(ServerUnreachable):
            other.download(network, "safetensors", tmp_path / "weights.safetensors")
        assert broken.connections == 3
    assert list(tmp_path.iterdir()) == []


@contextmanager
def serving(answers: list[tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """A server that gives these answers, whatever is asked: no real one is this wrong."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_refuses_what_differs_from_the_digest(tmp_path: Path) -> None:
    altered = b"\x01" + WEIGHTS[1:]
    headers = {"Content-Length": str(len(altered)), "Repr-Digest": DIGEST.replace("=", "=:", 1) + ":"}
    with serving([(200, headers, altered)]) as url, pytest.raises(CorruptDownload, match="announced"):
        download(Transport(url, None), "/file", {}, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_begins_anew_when_the_file_changed_meanwhile(tmp_path: Path) -> None:
    broken = (200, {"Content-Length": str(len(WEIGHTS)), "ETag": '"old"'}, b"z" * 1000)
    whole = (200, {"Content-Length": str(len(WEIGHTS)), "ETag": '"new"', "Digest": DIGEST}, WEIGHTS)
    with serving([broken, whole]) as url:
        file = download(Transport(url, None, pauses=PAUSES), "/file", {}, tmp_path / "file")
    assert file.path.read_bytes() == WEIGHTS


def test_a_name_from_the_server_stays_in_the_folder(tmp_path: Path) -> None:
    headers = {"Content-Length": "2", "Content-Disposition": 'attachment; filename="../../evil"'}
    with serving([(200, headers, b"ok")]) as url:
        file = download(Transport(url, None), "/file", {}, tmp_path)
    assert file.path == tmp_path / "evil"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("attachment; filename=\"birds.onnx\"; filename*=UTF-8''v%C3%B6gel.onnx", "vögel.onnx"),
        ("attachment; filename*=utf-8''..%2F..%2Fevil", "evil"),
        ("attachment", "download"),
    ],
)
def test_a_name_beyond_ascii_is_the_one_that_is_kept(tmp_path: Path, said: str, name: str) -> None:
    with serving([(200, {"Content-Length": "2", "Content-Disposition": said}, b"ok")]) as url:
        assert download(Transport(url, None), "/file", {}, tmp_path).path == tmp_path / name


@pytest.mark.parametrize("name", ["Digest", "Repr-Digest"])
def test_reads_both_kinds_of_digest(name: str) -> None:
    encoded = base64.b64encode(bytes(range(32))).decode()
    value = f"sha-256=:{encoded}:" if name == "Repr-Digest" else f"sha-256={encoded}"
    assert announced_sha256(httpx.Headers({name: value})) == bytes(range(32)).hex()
    assert announced_sha256(httpx.Headers({})) == ""
