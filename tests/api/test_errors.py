"""Every error is a problem: those of routes and those before any route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from starlette.testclient import TestClient

from api.errors import _STORE, ApiError, to_response
from api.settings import ApiSettings
from dna_engine.errors import DataError, DiskFull, EngineError, InfeasibleBudget, InvalidSpec, TeacherError
from store.embedded import Servers
from store.errors import CorruptArtifact
from store.session import make_engine
from tests.api.problems import problem


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/searches/not-an-id", 404, "not_found"),
        ("GET", "/searches/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10", 404, "not_found"),
        ("GET", "/architectures/%00", 404, "not_found"),
        ("GET", "/architectures/..%2f..%2fetc%2fpasswd/download", 404, "not_found"),
        ("PUT", "/searches", 405, "method_not_allowed"),
        ("GET", "/searches?state=dancing", 422, "invalid_request"),
        ("GET", "/searches?dataset=%00", 422, "unstorable_value"),
        ("GET", "/searches?dataset=x@%00", 422, "unstorable_value"),
        ("GET", "/trainings?dataset=x@%00", 422, "unstorable_value"),
        ("GET", "/tunings?dataset=x@%00", 422, "unstorable_value"),
        ("GET", "/architectures?dataset=x@%00", 422, "unstorable_value"),
        ("GET", "/datasets/%00", 422, "unstorable_value"),
    ],
)
def test_errors_of_every_kind(shared: TestClient, method: str, path: str, status: int, kind: str) -> None:
    problem(shared.request(method, path), status, kind)


def with_subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from with_subclasses(narrower)


def answered() -> set[tuple[int, str]]:
    """Status and kind of every error that somebody may see; one of a client that has gone is none."""
    own = {(kind.status, kind.kind) for kind in with_subclasses(ApiError) if issubclass(kind, ApiError)}
    of_the_engine = {
        (422, narrower.code)
        for kind in (InvalidSpec, TeacherError, InfeasibleBudget, DataError)
        for narrower in with_subclasses(kind)
        if issubclass(narrower, EngineError)
    }
    of_the_framework = {(400, "bad_request"), (405, "method_not_allowed")}
    return (own | {*_STORE.values(), (507, DiskFull.code)} | of_the_engine | of_the_framework) - {(400, "client_gone")}


def test_the_table_of_errors_has_every_kind_and_no_other(shared: TestClient) -> None:
    assert shared.get("/healthz").status_code == 200  # All of the application is imported: its errors are defined.
    page = (Path(__file__).parents[2] / "docs/api.md").read_text().partition("\n## Errors\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", page, re.MULTILINE)
    assert {(int(status), kind) for status, kinds in rows for kind in re.findall("`(.+?)`", kinds)} == answered()


def test_405_says_what_is_allowed(shared: TestClient) -> None:
    assert "POST" in shared.put("/searches/estimate").headers["allow"]


def test_what_nobody_expected_says_nothing_of_the_inside() -> None:
    for error in (CorruptArtifact("/var/lib/secret is broken"), ValueError("secret")):
        response = to_response(error)
        assert (response.status_code, response.media_type) == (500, "application/problem+json")
        assert b"secret" not in response.body


def test_a_database_that_went_away_is_503(client: TestClient, api_settings: ApiSettings, servers: Servers) -> None:
    assert api_settings.database_url is not None
    name = make_url(api_settings.database_url).database
    engine = make_engine(servers.database_url, pool_size=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name}
        )
    engine.dispose()
    response = client.get("/searches")
    problem(response, 503, "unavailable")
    assert response.headers["retry-after"] == "5"
    checks = problem(client.get("/readyz"), 503, "unavailable")["checks"]
    assert checks == {
        "database": False,
        "migrations": False,
        "redis": True,
        "files": True,
        "workers": 0,
        "warnings": [],
    }
    assert client.get("/healthz").json() == {"status": "ok"}


ID = "such as 0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10, not"


def test_where_an_id_is_needed_something_else_is_told_so(shared: TestClient) -> None:
    path = problem(shared.get("/searches/t1"), 404, "not_found")
    assert path["detail"] == f"Write the id of a search, {ID} 't1'; lists say which ids there are."
    assert problem(shared.get("/searchs/t1"), 404, "not_found")["detail"] == "There is nothing at this address."
    query = problem(shared.get("/architectures?search=tiny"), 422, "invalid_request")
    assert query["detail"] == f"search: Write the id of a search, {ID} 'tiny'; lists say which ids there are."
    for wrong in ("t1", 7):
        body = problem(shared.post("/searches", json={"from": wrong}), 422, "invalid_request")
        assert body["detail"].startswith(f"from: Write the id of a job of this kind, {ID} ")
    missing = problem(shared.post("/searches", json={"from": ID[8:44]}), 422, "invalid_request")
    assert missing["detail"] == f"There is no search {ID[8:44]}."


def test_of_very_many_errors_some_are_shown_and_the_rest_is_counted(shared: TestClient) -> None:
    body = {"dataset": "digits"} | {f"field{number}": 1 for number in range(1000)}
    answer = problem(shared.post("/searches/estimate", json=body), 422, "invalid_request")
    assert len(answer["errors"]) == 100
    assert answer["detail"].endswith("(99 more in errors, 900 not shown.)")
