"""One line for each request, with nothing secret, and nothing that a client can forge one with."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store import keys
from store.columns import new_id
from store.logs import formatter
from store.session import make_engine, make_sessions, transaction
from tests.api.conftest import LOCAL


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in caplog.text.splitlines()]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.handler.setFormatter(formatter("json"))
    caplog.set_level(logging.INFO, logger="dna.api.access")
    return caplog


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/searches/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10?dna_secret=1", "/searches/{search_id}", 422),
        ("HEAD", "/healthz", "/healthz", 200),
        ("GET", "/one%0a{}%1b[31m", "none", 404),
        ("BREW", "/healthz", "/healthz", 405),
    ],
)
def test_a_line_for_a_request(
    shared: TestClient, log: pytest.LogCaptureFixture, method: str, path: str, route: str, status: int
) -> None:
    shared.request(method, path)
    (line,) = lines(log)
    assert (line["method"], line["route"], line["status"]) == (method if method != "BREW" else "other", route, status)
    assert (line["event"], line["logger"], line["key"]) == ("request", "dna.api.access", line["key"])
    assert 0 <= line["seconds"] < 60
    assert "dna_secret" not in log.text
    assert line["path"] == path.partition("?")[0].replace("{}", "%7B%7D").replace("%0a", "%0A").replace("%1b", "%1B").replace("[", "%5B")  # fmt: skip


def test_of_an_error_its_type_is_said(shared: TestClient, log: pytest.LogCaptureFixture) -> None:
    for asked in (f"/searches/{new_id()}", "/none", "/searches?limt=5", "/healthz"):
        shared.get(asked)
    shared.request("BREW", "/healthz")
    answered = [(line["status"], line["problem"]) for line in lines(log)]
    assert answered == [
        (404, "urn:dna:error:not_found"),
        (404, "urn:dna:error:not_found"),
        (422, "urn:dna:error:invalid_request"),
        (200, None),
        (405, "urn:dna:error:method_not_allowed"),
    ]


def test_a_long_path_is_cut(shared: TestClient, log: pytest.LogCaptureFixture) -> None:
    shared.get("/" + "a" * 2000)
    assert lines(log)[0]["path"] == "/" + "a" * 499 + "..."


def test_the_key_is_named_and_not_said(shared_settings: ApiSettings, log: pytest.LogCaptureFixture) -> None:
    engine = make_engine(shared_settings.database_url or "")
    with transaction(make_sessions(engine)) as session:
        made, secret = keys.create(session, "log", project="of-the-log")
        known = str(made.id)
    engine.dispose()
    with TestClient(create_app(shared_settings), base_url=LOCAL) as client:
        client.get("/searches", headers={"Authorization": f"Bearer {secret}"})
    assert (lines(log)[-1]["key"], lines(log)[-1]["project"]) == (known, "of-the-log")
    assert secret not in log.text
