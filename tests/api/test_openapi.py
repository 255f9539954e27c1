"""The OpenAPI document: complete, with examples that are true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from api.edge.headers import ALWAYS
from api.openapi import TAGS
from api.searches.examples import BUDGETS, SPECS
from tests.api.conftest import Finished

#: Answers without a body that are no 204.
BODILESS = {("post", "/uploads"), ("head", "/uploads/{upload_id}")}

#: Headers that belong to the message or to the browser, not to what a route answers.
ORDINARY = {name.lower() for name in ALWAYS} | {
    "cache-control",
    "content-length",
    "content-type",
    "x-accel-buffering",
}


@pytest.fixture(scope="module")
def document(shared: TestClient) -> dict[str, Any]:
    body: dict[str, Any] = shared.get("/openapi.json").json()
    return body


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, what) for path, methods in document["paths"].items() for method, what in methods.items()]


def answers(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What an operation answers by status, with what is described once for all in its place."""
    shared = document["components"]["responses"]
    return {
        status: shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }


def test_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_route_is_described(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert len(operation["description"]) > 15, (path, method)
        assert operation["tags"][0] in TAGS, (path, method)
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert {
        "create_search",
        "stream_search_events",
        "stream_training_events",
        "select_networks",
        "download_architecture",
    } <= set(names)


def test_every_operation_says_what_comes_of_success(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        good = {status: answer for status, answer in answers(document, operation).items() if status < "300"}
        assert good, (path, method)
        for status, answer in good.items():
            empty = status == "204" or (method, path) in BODILESS
            assert bool(answer.get("content")) is not empty, (path, method, status)
            assert all(media.get("schema") for media in answer.get("content", {}).values()), (path, method, status)


def test_headers_are_documented_where_they_come(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        once = "idempotency-key" in {parameter["name"] for parameter in operation.get("parameters", [])}
        for status, answer in answers(document, operation).items():
            said = set(answer.get("headers", {}))
            assert ("Location" in said) >= (status in ("201", "202")), (path, method, status)
            assert ("Idempotent-Replayed" in said) is (once and status < "300"), (path, method, status)
            assert ("Retry-After" in said) is (status in ("429", "503")), (path, method, status)
            assert ("Content-Range" in said) is (status in ("206", "416")), (path, method, status)


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("get", "/searches/{search_id}", {}),
        ("get", "/searches/{search_id}/events", {}),
        ("get", "/architectures/{architecture_id}/download", {}),
        ("get", "/architectures/{architecture_id}/download", {"range": "bytes=0-9"}),
        ("get", "/architectures/{architecture_id}/download", {"if-none-match": "*"}),
        ("get", "/architectures/{architecture_id}/download", {"range": "bytes=9999999-"}),
        ("options", "/uploads", {}),
        ("post", "/uploads", {"upload-length": "1"}),
        ("post", "/uploads", {"upload-length": "1", "tus-resumable": "1.0.0", "idempotency-key": "document"}),
    ],
)
def test_headers_that_come_are_documented(
    finished: Finished, document: dict[str, Any], method: str, path: str, sent: dict[str, str]
) -> None:
    names = {"{search_id}": finished.id, "{architecture_id}": finished.network("winner")}
    filled = "/".join(names.get(part, part) for part in path.split("/"))
    response = finished.client.request(method, filled, headers=sent)
    described = answers(document, document["paths"][path][method])[str(response.status_code)]
    assert {*response.headers} - ORDINARY <= {name.lower() for name in described.get("headers", {})}


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


def schemas_in(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of the document, with where it stands."""
    if isinstance(value, dict):
        if "schema" in value or place.count("/") > 2:
            yield place, value
        for key, inner in value.items():
            yield from schemas_in(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from schemas_in(inner, f"{place}/{index}")


#: What may hold anything, and why.
ANYTHING = {
    "/components/schemas/JobStep/properties/values": "what a step has found is by its kind, and an engine of another version finds other things",
    "/components/schemas/TrainingDetail/properties/values": "the same of the step that trains",
    **{
        f"/components/schemas/{kind}Detail/properties/written/anyOf/0": "a spec as it was written has those of its fields that were"
        for kind in ("Search", "Training", "Tuning")
    },
    "/components/schemas/Clone": "all fields of a spec, of which it needs none, lie over those of another",
    "/components/schemas/Problem": "RFC 9457 lets a kind of error have members of its own",
}


def test_everything_has_a_type(document: dict[str, Any]) -> None:
    loose, misspelt = set(), set()
    for place, schema in schemas_in(document):
        typed = {"properties", "additionalProperties", "anyOf", "oneOf", "$ref"} & schema.keys()
        if schema.get("additionalProperties") is True or (schema.get("type") == "object" and not typed):
            loose.add(place)
        if schema.get("schema") == {} or schema.get("items") == {} or {"ge", "gt", "le", "lt"} & schema.keys():
            misspelt.add(place)
    assert loose == set(ANYTHING)
    assert not misspelt


def test_every_error_is_a_problem_with_an_example(document: dict[str, Any]) -> None:
    seen = set()
    for path, method, operation in operations(document):
        for status, response in answers(document, operation).items():
            if int(status) >= 400:
                seen.add(status)
                content = response["content"]
                assert list(content) == ["application/problem+json"], (path, method, status)
                example = content["application/problem+json"]["example"]
                assert example["status"] == int(status)
                assert example["title"]
                assert example["detail"]
    assert seen == {
        "400",
        "401",
        "403",
        "404",
        "408",
        "409",
        "412",
        "413",
        "415",
        "416",
        "422",
        "423",
        "429",
        "500",
        "503",
        "507",
    }
    assert "405" in {name.removeprefix("Problem") for name in document["components"]["responses"]}
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(reference := value.get("$ref"), str):
                _, components, kind, name = reference.split("/")
                assert name in document[components][kind]
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
