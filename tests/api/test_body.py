"""Bodies that are too large, too deep, or hold what cannot be kept: refused with a reason, never a 500."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.errors import Invalid, invalid_fields
from tests.api.problems import pointers, problem

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"dataset": "digits", "seed": NaN}',
        b'{"dataset": "digits", "budget": {"latency_ms": Infinity}}',
        b'{"dataset": "digits", "seed": -Infinity}',
        b'{"dataset": "digits", "seed": ' + b"9" * 5000 + b"}",
        b'{"dataset": "\xff"}',
        '{"dataset": "digits"}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_is_malformed(shared: TestClient, body: bytes) -> None:
    problem(shared.post("/searches", content=body, headers=JSON), 400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (rb'{"dataset": "dig\u0000its"}', "#/dataset"),
        (rb'{"dataset": "digits", "name": "\ud800"}', "#/name"),
        (rb'{"dataset": "digits", "labels": {"\u0000": "x"}}', "#/labels"),
        (rb'{"dataset": "digits", "labels": {"x": "\udfff"}}', "#/labels/x"),
        (b'{"dataset": "digits", "seed": 9223372036854775808}', "#/seed"),
        (b'{"dataset": "digits", "budget": {"flops": -99999999999999999999}}', "#/budget/flops"),
        (b'{"dataset": "digits", "budget": {"flops": 1e999}}', "#/budget/flops"),
        (b'{"dataset": "digits", "budget": {"flops": 9223372036854775807}}', "#/budget/flops"),
        (b'{"dataset": "digits", "seed": 2147483648}', "#/seed"),
        (b'{"dataset": "digits", "space": {"blocks": [{"stride": 1e300, "cells": []}]}}', "#/space/blocks/0"),
        (b'{"dataset": "digits", "space": {"blocks": [], "ops": [{"name": ["x"]}]}}', "#/space/ops/0"),
        (b'{"dataset": "digits", "space": {"blocks": [], "ops": [{"name": "x", "kernel": "3"}]}}', "#/space/ops/0"),
        (b"[]", "#"),
        (b"3", "#"),
        (b"null", "#"),
    ],
)
def test_values_that_cannot_be_kept_are_pointed_at(shared: TestClient, body: bytes, pointer: str) -> None:
    response = shared.post("/searches", content=body, headers=JSON)
    answer = problem(response, 422, response.json()["type"].rpartition(":")[2])
    assert pointers(answer) == [pointer]


@pytest.mark.parametrize(("levels", "reason"), [(33, "deeper"), (400, "deeper"), (100_000, "more than 4,000 values")])
def test_deep_json_is_refused(shared: TestClient, levels: int, reason: str) -> None:
    body = b'{"dataset": "digits", "space": ' + b"[" * levels + b"]" * levels + b"}"
    assert reason in problem(shared.post("/searches", content=body, headers=JSON), 422, "invalid_request")["detail"]


def test_a_body_is_counted_while_it_arrives(shared: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(300):
            sent += 1
            yield b" " * 10_000

    limit = "1,048,576 bytes"
    assert (
        limit in problem(shared.post("/searches", content=endless(), headers=JSON), 413, "payload_too_large")["detail"]
    )
    declared = {"content-length": "10", **JSON}
    problem(shared.post("/searches", content=b" " * 2_000_000, headers=declared), 413, "payload_too_large")


@pytest.mark.parametrize(
    "headers", [{}, {"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}]
)
def test_only_json_is_read_as_json(shared: TestClient, headers: dict[str, str]) -> None:
    """A web page can send these types across sites without asking first."""
    problem(shared.post("/searches", content=b'{"dataset": "digits"}', headers=headers), 415, "unsupported_media_type")


def test_a_missing_body_is_named(shared: TestClient) -> None:
    assert problem(shared.post("/searches"), 422, "invalid_request")["detail"].startswith("the body")


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 300_000 + b"[]]",
        b'{"dataset": "digits", ' + b",".join(b'"f%d": 1' % number for number in range(16_000)) + b"}",
        b'{"dataset": "digits", "block_weights": [' + b"1," * 4000 + b"1]}",
    ],
)
def test_more_values_than_any_search_has_are_refused_before_they_are_built(
    shared: TestClient, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[object] = []
    monkeypatch.setattr("api.body.check_json", built.append)
    answer = problem(shared.post("/searches/estimate", content=body, headers=JSON), 422, "invalid_request")
    assert "4,000 values" in answer["detail"]
    assert not built


def test_a_name_of_a_field_is_short_enough_to_be_repeated(shared: TestClient) -> None:
    response = shared.post("/searches", json={"dataset": "digits", "budget": {"x" * 500_000: 1}})
    assert pointers(problem(response, 422, "invalid_request")) == ["#/budget"]
    assert len(response.content) < 1000


def test_json_is_parsed_and_refused_beside_the_event_loop(shared: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def parse(body: bytes) -> Any:
        not_on_the_loop()
        seen.append("parsed")
        return json.loads(body)

    def refuse(details: Sequence[Mapping[str, Any]], body: Any) -> Invalid:
        not_on_the_loop()
        seen.append("refused")
        return invalid_fields(details, body)

    monkeypatch.setattr("api.body.parse_json", parse)
    monkeypatch.setattr("api.body.invalid_fields", refuse)
    assert shared.post("/searches/estimate", json={"dataset": "digits"}).status_code == 200
    body = problem(shared.post("/searches/estimate", json={"dataset": "digits", "x": 1}), 422, "invalid_request")
    assert pointers(body) == ["#/x"]
    assert seen == ["parsed", "parsed", "refused"]


def not_on_the_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
