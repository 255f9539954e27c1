"""The OpenAPI document: complete, with examples that are true."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.searches.examples import BUDGETS, SPECS
from tests.api.conftest import Finished


@pytest.fixture(scope="module")
def document(shared: TestClient) -> dict[str, Any]:
    body: dict[str, Any] = shared.get("/openapi.json").json()
    return body


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, what) for path, methods in document["paths"].items() for method, what in methods.items()]


def test_every_route_is_described(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert len(operation["description"]) > 15, (path, method)
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert {
        "create_search",
        "stream_search_events",
        "stream_training_events",
        "select_networks",
        "download_architecture",
    } <= set(names)


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    silent = [
        f"{method} {path}: {parameter['name']}"
        for path, method, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert not silent


def test_every_schema_and_field_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert not [name for name, schema in schemas.items() if not schema.get("description")]
    fields = [
        (f"{name}.{field}", schema)
        for name, whole in schemas.items()
        for field, schema in whole.get("properties", {}).items()
    ]
    assert len(fields) > 400
    assert not [name for name, schema in fields if not schema.get("description")]


def test_every_error_is_a_problem_with_an_example(document: dict[str, Any]) -> None:
    seen = set()
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                seen.add(status)
                content = response["content"]
                assert list(content) == ["application/problem+json"], (path, method, status)
                example = content["application/problem+json"]["example"]
                assert example["status"] == int(status)
                assert example["title"]
                assert example["detail"]
    assert seen == {"400", "401", "403", "404", "409", "412", "413", "415", "416", "422", "423", "429", "503", "507"}
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(reference := value.get("$ref"), str):
                assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


@pytest.mark.parametrize("name", SPECS)
def test_the_examples_of_specs_are_accepted(shared: TestClient, document: dict[str, Any], name: str) -> None:
    for path in ("/searches", "/searches/estimate"):
        shown = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"][name]
        assert shown["value"] == SPECS[name]["value"]
        response = shared.post(path, json=shown["value"])
        assert response.is_success, response.text


@pytest.mark.parametrize("name", BUDGETS)
def test_the_examples_of_budgets_are_accepted(finished: Finished, name: str) -> None:
    response = finished.client.post(f"/searches/{finished.id}/select", json=BUDGETS[name]["value"])
    assert response.status_code == 200, response.text
