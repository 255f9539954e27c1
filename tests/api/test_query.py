"""Queries mean what they say: no parameter is ignored, and every label counts."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import Invalid
from api.jobs.service import parse_labels
from api.settings import ApiSettings
from tests.api.problems import problem

NOBODY = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"


@pytest.mark.parametrize(
    "path",
    [
        "/searches",
        "/trainings",
        "/tunings",
        "/architectures",
        "/datasets",
        "/teachers",
        "/workers",
        "/changes",
        "/recipes",
        "/spaces",
        "/healthz",
    ]
    + [f"/searches/{NOBODY}{path}" for path in ("", "/metrics", "/events", "/ratings", "/frontier", "/pictures/loss")],
)
def test_a_parameter_that_a_route_does_not_have_is_an_error(shared: TestClient, path: str) -> None:
    body = problem(shared.get(path, params={"colour": "red"}), 422, "invalid_request")
    [error] = body["errors"]
    assert error["parameter"] == "colour"
    assert "There is no such parameter" in error["detail"]


def test_a_parameter_is_an_error_on_routes_that_write_too(shared: TestClient) -> None:
    for path in ("/searches", "/searches/estimate", f"/searches/{NOBODY}/cancel"):
        problem(shared.post(path, params={"dry": "1"}, json={"dataset": "digits"}), 422, "invalid_request")
    problem(shared.delete(f"/searches/{NOBODY}", params={"force": "1"}), 422, "invalid_request")


def test_it_is_said_which_parameter_was_meant(shared: TestClient) -> None:
    body = problem(shared.get("/searches", params={"limt": 2, "state": "queued", "zzz": 1}), 422, "invalid_request")
    assert body["errors"][0] == {"parameter": "limt", "detail": "There is no such parameter. Did you mean limit?"}
    assert body["detail"] == "limt: There is no such parameter. Did you mean limit?"
    assert "created_after, created_before, cursor" in body["errors"][1]["detail"]
    assert "there is none here" in problem(shared.get("/recipes?x=1"), 422, "invalid_request")["detail"]


def test_a_parameter_that_counts_once_is_given_once(shared: TestClient) -> None:
    body = problem(shared.get("/searches", params={"limit": [1, 2]}), 422, "invalid_request")
    assert body["errors"] == [{"parameter": "limit", "detail": "Given 2 times; give it once"}]
    assert shared.get("/searches", params={"state": ["queued", "failed"], "label": ["a:1", "b:2"]}).status_code == 200


def test_a_route_to_come_has_it_by_itself(api_settings: ApiSettings) -> None:
    router = APIRouter(prefix="/later")

    @router.get("")
    def later(deep: int = 0) -> dict[str, int]:
        return {"deep": deep}

    app = create_app(api_settings)
    app.include_router(router)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/later?deep=3").json() == {"deep": 3}
        problem(client.get("/later?depe=3"), 422, "invalid_request")


def test_thousands_of_unknown_names_are_answered_briefly(shared: TestClient) -> None:
    response = shared.get("/searches?" + "&".join(f"n{number}=1" for number in range(3000)))
    assert len(problem(response, 422, "invalid_request")["errors"]) == 20


@pytest.mark.parametrize(
    ("written", "equal", "present"),
    [
        (["team:vision", "run:1"], {"team": "vision", "run": "1"}, []),
        (["team"], {}, ["team"]),
        (["team:"], {"team": ""}, []),
        (["url:http://x"], {"url": "http://x"}, []),
        ([r"a\:b:c"], {"a:b": "c"}, []),
        ([r"a\:b"], {}, ["a:b"]),
        ([r"a\\:b"], {"a\\": "b"}, []),
        ([r"a:b\:c"], {"a": r"b\:c"}, []),
        (["a:1", "a:1", "a"], {"a": "1"}, ["a"]),
    ],
)
def test_a_label_is_a_key_and_perhaps_a_value(written: list[str], equal: dict[str, str], present: list[str]) -> None:
    assert parse_labels(written) == (equal, present)


@pytest.mark.parametrize("written", [[":x"], [""], ["a\\"]])
def test_a_label_has_a_key(written: list[str]) -> None:
    with pytest.raises(Invalid, match="key:value"):
        parse_labels(written)


def test_both_of_two_labels_must_hold(client: TestClient) -> None:
    def made(**labels: str) -> str:
        found: str = client.post("/searches", json={"dataset": "digits", "labels": labels}).json()["id"]
        return found

    def ids(*labels: str) -> list[Any]:
        return [item["id"] for item in client.get("/searches", params={"label": labels}).json()["items"]]

    one, other, odd = made(a="1", b="x"), made(a="2"), made(**{"k8s:app": "dna"})
    assert ids("a:1") == ids("a:1", "b:x") == ids("b") == [one]
    assert ids("a") == [other, one]
    assert ids("a:2", "b:x") == []
    assert ids(r"k8s\:app:dna") == ids(r"k8s\:app") == [odd]
    body = problem(client.get("/searches", params={"label": ["a:2", "a:1"]}), 422, "invalid_request")
    assert body["errors"] == [
        {"parameter": "label", "detail": "'a' cannot be '2' and '1' at once: a job has one value of a label"}
    ]
    for hostile in ("a\x00", "a\x00:b", "a:\x00"):
        assert client.get("/searches", params={"label": hostile}).status_code == 422


def test_a_list_is_narrowed_by_times_and_parts_of_names(client: TestClient) -> None:
    search = client.post("/searches", json={"dataset": "digits", "name": "Birds on a phone"}).json()

    def count(**params: str) -> int:
        response = client.get("/searches", params=params)
        assert response.status_code == 200, response.text
        return len(response.json()["items"])

    created = search["created_at"]
    assert count(q="ON A") == count(created_after=created) == count(created_before="2100-01-01") == 1
    assert count(q="under") == count(created_before=created) == count(created_after="2100-01-01T00:00:00Z") == 0
    assert count(finished_after="2000-01-01") == count(finished_before="2100-01-01") == 0
    assert client.get("/searches", params={"q": "a\x00"}).status_code == 422
    assert count(created_after="0001-01-01T00:00:00+14:00") == 1
    for wrong in ("yesterday", "0.0", "1700000000", "-1e9"):
        problem(client.get("/searches", params={"created_after": wrong}), 422, "invalid_request")
    plus = problem(client.get("/searches?created_after=2026-01-31T12:00:00+01:00"), 422, "invalid_request")
    assert "write %2B for it" in plus["detail"]
    assert count(created_after="2026-01-31T12:00:00") == count(created_after="2026-01-31T12:00:00Z")
