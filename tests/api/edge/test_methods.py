"""HEAD where there is a GET, OPTIONS everywhere, and what is allowed in a 405."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Finished

PAGES = [
    "/",
    "/healthz",
    "/readyz",
    "/docs",
    "/openapi.json",
    "/static/swagger-ui/swagger-ui.css",
    "/searches",
    "/nothing",
]


@pytest.mark.parametrize("path", PAGES)
def test_head_is_get_without_a_body(shared: TestClient, path: str) -> None:
    got, head = shared.get(path), shared.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    same = {"content-length", "content-type", "etag", "content-security-policy"}
    assert {name: head.headers.get(name) for name in same} == {name: got.headers.get(name) for name in same}


def test_head_of_a_file(finished: Finished) -> None:
    path = f"/architectures/{finished.network('winner')}/download?format=json"
    got, head = finished.client.get(path), finished.client.head(path)
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]
    assert int(head.headers["content-length"]) == len(got.content)


def test_head_of_a_stream_ends(shared: TestClient) -> None:
    """The events of a search that waits have no end, nor have changes."""
    made = shared.post("/searches", json={"dataset": "digits"}).json()
    for path in (f"/searches/{made['id']}/events", "/changes"):
        head = shared.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/searches", "GET, HEAD, OPTIONS, POST"),
        ("/searches/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10/cancel", "OPTIONS, POST"),
        ("/static/swagger-ui/swagger-ui.css", "GET, HEAD, OPTIONS"),
        ("/uploads", "OPTIONS, POST"),
    ],
)
def test_what_is_allowed_is_said(shared: TestClient, path: str, allow: str) -> None:
    options = shared.options(path)
    assert (options.status_code, options.headers["allow"]) == (204, allow)
    refused = shared.put(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allow)
    assert refused.json()["type"] == "urn:dna:error:method_not_allowed"


def test_options_of_nothing(shared: TestClient) -> None:
    assert shared.options("/nothing").status_code == 404
