"""Headers that every answer has, whoever gives it and however it fails."""

from __future__ import annotations

import re

import httpx
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Finished

PATHS = [
    "/healthz",
    "/",
    "/docs",
    "/openapi.json",
    "/static/swagger-ui/swagger-ui.css",
    "/nothing",
    "/searches?limit=no",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_for_what_it_says(shared: TestClient, method: str, path: str) -> None:
    answer = shared.request(method, path, follow_redirects=False)
    _assert_guarded(answer)
    assert answer.headers["cache-control"] == ("private, no-cache" if "etag" in answer.headers else "no-store")


def _assert_guarded(answer: httpx.Response) -> None:
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"


def test_streams_and_files_too(finished: Finished) -> None:
    with finished.client.stream("GET", f"/searches/{finished.id}/events") as events:
        _assert_guarded(events)
        assert events.headers["cache-control"] == "no-cache"
    _assert_guarded(finished.get("/pictures/frontier"))


def test_a_picture_shows_the_images_in_it_and_runs_nothing(finished: Finished) -> None:
    policy = finished.get("/pictures/frontier").headers["content-security-policy"]
    assert {"default-src 'none'", "img-src data:", "sandbox"} <= set(re.split("; ?", policy))
    assert "script-src" not in policy


def test_the_page_of_the_docs_runs_its_own_scripts_only(shared: TestClient) -> None:
    page = shared.get("/docs")
    policy = page.headers["content-security-policy"]
    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/]{43}='", policy)
    assert "unsafe" not in policy.split("script-src")[1].split(";")[0]
    assert page.text.count("<script>") == 1
