"""What the documents show is what the service answers: budgets that can be met, and answers as they are."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from api.searches.examples import BUDGETS, SPECS
from dna_client.cli.options import whole

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "dna_client/client.py"]
#: The budget that the documents show being refused.
REFUSED = {"flops": 1000}


def budgets(text: str) -> Iterator[dict[str, int]]:
    """Those of JSON and Python, and those of commands to search on the digits or to select from such a search."""
    for found in re.findall(r'"budget": (\{[^}]*\})', text):
        yield {name: int(limit) for name, limit in ast.literal_eval(found.replace("null", "None")).items() if limit}
    for line in re.findall(r"^dna (?:search (?:create|estimate)|select) .*--(?:flops|params).*$", text, re.MULTILINE):
        words = shlex.split(line, comments=True)
        yield {name: whole(words[words.index(f"--{name}") + 1]) for name in ("flops", "params") if f"--{name}" in words}


def feasible(shared: TestClient, spec: dict[str, Any]) -> dict[str, tuple[int, int]]:
    unlimited = {name: value for name, value in spec.items() if name != "budget"}
    ranges: dict[str, tuple[int, int]] = shared.post("/searches/estimate", json=unlimited).json()["feasible_range"]
    return ranges


def can_be_met(budget: dict[str, int], ranges: dict[str, tuple[int, int]]) -> bool:
    """And says something: a limit above the largest network limits nothing."""
    return all(ranges[name][0] <= limit <= ranges[name][1] for name, limit in budget.items())


def test_budgets_in_the_documents_lie_in_the_range_of_the_digits(shared: TestClient) -> None:
    ranges = feasible(shared, {"dataset": "digits"})
    shown = [(path.name, budget) for path in DOCUMENTS for budget in budgets(path.read_text())]
    assert len(shown) > 12
    assert [(name, budget) for name, budget in shown if budget != REFUSED and not can_be_met(budget, ranges)] == []


@pytest.mark.parametrize("name", SPECS)
def test_budgets_of_the_described_searches(shared: TestClient, name: str) -> None:
    spec = SPECS[name]["value"]
    assert can_be_met(spec.get("budget", {}), feasible(shared, spec))


@pytest.mark.parametrize("name", BUDGETS)
def test_budgets_of_the_described_selections(shared: TestClient, name: str) -> None:
    assert can_be_met(BUDGETS[name]["value"]["budget"], feasible(shared, {"dataset": "digits"}))


def shown_answer(route: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body of the last request to a route that docs/api.md shows with its answer, and that answer."""
    text = (ROOT / "docs/api.md").read_text()
    pattern = r"```console\ncurl -s \$API" + route + r" [^\n]*?(?:\\\n +)?-d '([^']*)'\n```\n\n```json\n(.*?)\n```"
    request, answer = re.findall(pattern, text, re.DOTALL)[-1]
    return json.loads(request), json.loads(answer)


def test_the_refusal_in_the_documents_is_the_service_s(shared: TestClient) -> None:
    request, shown = shown_answer("/searches")
    refused = shared.post("/searches", json=request, headers={"X-Request-ID": shown["request_id"]})
    assert refused.status_code == 422
    assert refused.json() == shown
    described = shared.get("/openapi.json").json()["components"]["responses"]["Problem422"]["content"]
    assert described["application/problem+json"]["example"] == shown


def test_the_estimate_in_the_documents_is_the_service_s(shared: TestClient) -> None:
    request, shown = shown_answer("/searches/estimate")
    estimate = shared.post("/searches/estimate", json=request).json()
    assert estimate.keys() > shown.keys() - {"..."}
    certain = ("candidates", "paths", "feasible", "feasible_range")
    assert {name: estimate[name] for name in certain} == {name: shown[name] for name in certain}
    assert estimate["steps"][0].keys() >= shown["steps"][0].keys()


#: Of a command that sends JSON: what says the method, the path, and the body between its quotes.
POSTED = re.compile(
    r"""^curl ([^\n]*?)(?:\$API|127\.0\.0\.1:8000)(/[\w/$-]+)"?(?: -H '[^']*'| -[a-zA-Z]+|[ \\\n])*-d '([^']*)'""",
    re.MULTILINE,
)


def requests(text: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Methods, paths without the ids in them, and bodies of the commands that send JSON to the service."""
    for options, path, body in POSTED.findall(text):
        method = "patch" if "-X PATCH" in options else "post"
        yield method, re.sub(r"\$?\b[A-Z]+\b", "{}", path), json.loads(body)


def test_requests_in_the_documents_are_as_the_service_describes_them(shared: TestClient) -> None:
    document = shared.get("/openapi.json").json()
    operations = {re.sub(r"{\w+}", "{}", path): methods for path, methods in document["paths"].items()}
    shown = [request for path in DOCUMENTS for request in requests(path.read_text())]
    assert len(shown) > 8
    for method, path, body in shown:
        assert method in operations.get(path, {}), path
        [content] = operations[path][method]["requestBody"]["content"].values()
        schema = content["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(body)
