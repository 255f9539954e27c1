"""Bodies that are too large, too deep, or hold what cannot be kept: refused with a reason, never a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

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
        (b'{"dataset": "digits", "space": {"blocks": [{"stride": 1e300, "cells": []}]}}', "#/space/blocks"),
        (b'{"dataset": "digits", "space": {"blocks": [], "ops": [{"name": ["x"]}]}}', "#/space/ops"),
        (b'{"dataset": "digits", "space": {"blocks": [], "ops": [{"name": "x", "kernel": "3"}]}}', "#/space/ops"),
        (b"[]", "#"),
        (b"3", "#"),
        (b"null", "#"),
    ],
)
def test_values_that_cannot_be_kept_are_pointed_at(shared: TestClient, body: bytes, pointer: str) -> None:
    response = shared.post("/searches", content=body, headers=JSON)
    answer = problem(response, 422, response.json()["type"].rpartition(":")[2])
    assert pointers(answer) == [pointer]


@pytest.mark.parametrize("levels", [33, 400, 100_000])
def test_deep_json_is_refused(shared: TestClient, levels: int) -> None:
    body = b'{"dataset": "digits", "space": ' + b"[" * levels + b"]" * levels + b"}"
    assert "deeper" in problem(shared.post("/searches", content=body, headers=JSON), 422, "invalid_request")["detail"]


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
    problem(shared.post("/searches", content=b'{"dataset": "digits"}', headers=headers), 422, "invalid_request")


def test_a_missing_body_is_named(shared: TestClient) -> None:
    assert problem(shared.post("/searches"), 422, "invalid_request")["detail"].startswith("the body")
