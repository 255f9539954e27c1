"""Requests as no client library sends them, on a real server: refused in words, never a fault of the service, and never held for ever."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from api.settings import ApiSettings
from tests.api.conftest import serving

HEAD = b"Host: 127.0.0.1\r\nConnection: close\r\n"
NOBODY = b"0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"
IDLE = 0.3


@pytest.fixture(scope="module")
def port(shared_settings: ApiSettings) -> Iterator[int]:
    """Of a server that waits for a body no longer than it must, and takes one upload at a time."""
    settings = shared_settings.model_copy(
        update={"body_idle_seconds": IDLE, "body_bytes_per_second": 1_000_000, "uploads_at_once": 1}
    )
    with serving(settings) as client:
        assert client.base_url.port is not None
        yield client.base_url.port


def opened(port: int, *pieces: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    for piece in pieces:
        connection.sendall(piece)
    return connection


def answered(connection: socket.socket, arrived: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what has arrived and what comes until the server closes the connection: by a reset where it was sent more."""
    with connection, suppress(ConnectionResetError):
        while more := connection.recv(1 << 16):
            arrived += more
    head, _, body = arrived.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def get(path: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method, path, HEAD, b"".join(b"%b\r\n" % header for header in headers))


def post(path: bytes, body: bytes, *headers: bytes, kind: bytes = b"application/json") -> bytes:
    said = (b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *headers)
    return get(path, *said, method=b"POST") + body


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get(b"/searches/%ff%fe"), 404),
        (get(b"/searches/%00"), 404),
        (get(b"//searches"), 404),
        (get(b"//evil.example/%2e%2e/"), 404),
        (get(b"/searches;a=b"), 404),
        (get(b"/" + b"a" * 20_000), 404),
        (get(b"/static/%00"), 404),
        (get(b"/static/%ff"), 404),
        (get(b"/static/..%2f..%2fapp.py"), 404),
        (get(b"/static/swagger-ui/swagger-ui.css", b"Range: bytes=99999999-"), 416),
        (get(b"/static/swagger-ui/swagger-ui.css", b"Range: bytes=a-b,"), 400),
        (get(b"/searches?limit=" + b"9" * 5_000), 422),
        (get(b"/searches?ref=%00"), 422),
        (get(b"/searches?label=a:%00"), 422),
        (get(b"/teachers?q=%00"), 422),
        (get(b"/architectures?flops_max=" + b"9" * 5_000), 422),
        (get(b"/architectures?flops_max=%D9%A1M"), 422),
        (get(b"/searches/" + NOBODY + b"/events", b"Last-Event-ID: \xff"), 422),
        (get(b"/searches/" + NOBODY + b"/events", b"Last-Event-ID: 99999999999999999999"), 422),
        (get(b"/searches", b"Authorization: Bearer a", b"Authorization: Bearer b"), 401),
        (get(b"/searches", b"Host: localhost"), 400),
        (get(b"/searches", b"Content-Length: 1", b"Content-Length: 2"), 400),
        (get(b"/nothing", method=b"CONNECT"), 404),
        (get(b"/searches", method=b"A" * 3_000), 405),
        (post(b"/searches", b"{}", b"Content-Length: -1"), 400),
        (post(b"/searches", b'{"dataset": "digits", "name": "a\\u0000"}'), 422),
        (post(b"/searches", b'{"dataset": "digits", "name": "\\ud800"}'), 422),
        (post(b"/searches", b'{"dataset": "digits", "seed": 99999999999999999999}'), 422),
        (post(b"/searches", b"[" * 3_000), 422),
        (post(b"/searches", b'{"dataset": "digits"}', kind=b"text/plain"), 415),
        (post(b"/searches", b"dataset=digits", kind=b"application/x-www-form-urlencoded"), 415),
        (post(b"/searches", b"xx", b"Content-Encoding: gzip"), 415),
        (post(b"/searches", b'{"dataset": "digits"}', b"Idempotency-Key: " + b"a" * 5_000), 422),
        (post(b"/datasets", b"zzz", kind=b"multipart/form-data"), 400),
        (post(b"/datasets", b"zzz", kind=b"multipart/form-data; boundary=\xff"), 400),
        (get(b"/uploads/" + NOBODY, b"Upload-Offset: 1", b"Tus-Resumable: 1.0.0", method=b"PATCH"), 415),
    ],
)
def test_what_nobody_means_is_refused(port: int, request_: bytes, status: int) -> None:
    found, headers, body = answered(opened(port, request_))
    assert found == status
    if headers["content-type"].startswith("text/plain"):  # The server's own word on what is not HTTP.
        assert body == b"Invalid HTTP request received."
    else:
        assert headers["content-type"] == "application/problem+json"
        said = json.loads(body)
        assert (said["status"], said["request_id"]) == (status, headers["x-request-id"])
        assert said["detail"].endswith((".", "?", ")"))
        assert headers["x-content-type-options"] == "nosniff"


def test_a_length_beside_chunks_smuggles_nothing(port: int) -> None:
    """Either the chunks are the body, or the request is none; what comes behind them is not answered."""
    chunks = b"2\r\n{}\r\n0\r\n\r\n" + get(b"/healthz")
    said = (b"Content-Type: application/json", b"Content-Length: 2", b"Transfer-Encoding: chunked")
    status, _, body = answered(opened(port, get(b"/searches", *said, method=b"POST"), chunks))
    assert status in (400, 422)
    assert b"200 OK" not in body


def test_a_websocket_is_not_spoken(port: int) -> None:
    said = (b"Upgrade: websocket", b"Sec-WebSocket-Key: aaaa", b"Sec-WebSocket-Version: 13")
    assert answered(opened(port, get(b"/healthz", *said)))[0] == 200


FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'


@pytest.mark.parametrize(
    ("path", "kind", "begun"),
    [
        (b"/searches", b"application/json", b'{"dataset":'),
        (b"/datasets", b"multipart/form-data; boundary=x", FORM),
        (b"/teachers", b"multipart/form-data; boundary=x", FORM),
    ],
)
def test_a_body_that_stalls_is_given_up(port: int, path: bytes, kind: bytes, begun: bytes) -> None:
    said = (b"Content-Type: " + kind, b"Content-Length: 100000")
    head = get(path, *said, method=b"POST").replace(b"Connection: close\r\n", b"")
    status, headers, body = answered(opened(port, head, begun))
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(body)["type"] == "urn:dna:error:request_timeout"


def test_a_body_that_trickles_is_given_up(port: int) -> None:
    """A byte now and then keeps no place: it is the rate that counts."""
    head = get(b"/searches", b"Content-Type: application/json", b"Content-Length: 100000", method=b"POST")
    connection = opened(port, head)
    connection.settimeout(IDLE / 10)
    arrived = b""
    while not arrived:
        connection.sendall(b" ")
        try:
            arrived = connection.recv(1)
        except TimeoutError:
            continue
    connection.settimeout(30)
    status, _, body = answered(connection, arrived)
    assert status == 408
    assert "1,000,000 bytes" in json.loads(body)["detail"]


def test_a_stalled_upload_gives_its_place_back(port: int) -> None:
    said = (b"Content-Type: multipart/form-data; boundary=x", b"Content-Length: 100000")
    assert answered(opened(port, get(b"/datasets", *said, method=b"POST"), FORM))[0] == 408
    whole = post(b"/datasets", b"--x--\r\n", kind=b"multipart/form-data; boundary=x")
    assert answered(opened(port, whole))[0] == 422
