"""Grafana's dashboard and Prometheus' alerts ask for what the service says: each query is parsed, and held against ``/metrics`` of one in which
something of everything has happened. The parser is that of promql-parser, which follows Prometheus' own grammar.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from store import deliveries, flow, jobs, notices, workers
from store.deliveries import Outcome, Patience
from store.embedded import Servers
from store.session import make_engine, make_sessions, transaction
from store.workers import Condition, Memory
from tests.api.conftest import LOCAL
from tests.conftest import new_database
from tests.store.builders import new_webhook, new_worker, queued, succeed, take

DEPLOY = Path(__file__).parents[3] / "deploy"
BOARD = json.loads((DEPLOY / "grafana" / "dna-automl.json").read_text())
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
RULES = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
PANELS = {panel["title"]: panel for panel in BOARD["panels"] if panel["type"] != "row"}

#: What Prometheus adds to each series that it scrapes.
OF_THE_SCRAPE = {"job", "instance"}

Exposed = dict[str, dict[str, set[str]]]


@pytest.fixture(scope="module")
def exposed(servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Exposed:
    """The values of each label of each metric of a service in which something of everything has happened."""
    values: Exposed = defaultdict(lambda: defaultdict(set))
    with new_database(servers.database_url, template=migrated) as url:
        folder = tmp_path_factory.mktemp("monitoring")
        settings = ApiSettings(database_url=url, redis_url=servers.redis_url, data_dir=folder, embedded=True)
        with TestClient(create_app(settings), base_url=LOCAL) as client:
            fill(client, settings)
            text = client.get("/metrics").text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                values[sample.name][label].add(value)
            values.setdefault(sample.name, defaultdict(set))
    return values


def fill(client: TestClient, settings: ApiSettings) -> None:
    error = {"code": "worker_error", "message": "", "param": None}
    made = [UUID(client.post("/searches", json={"dataset": "digits"}).json()["id"]) for _ in range(2)]
    assert settings.database_url is not None
    engine = make_engine(settings.database_url)
    with transaction(make_sessions(engine)) as session:
        worker, webhook = new_worker(session), new_webhook(session)
        workers.beat(session, worker, current_step_id=None, condition=Condition(Memory(2, 1), 0.5, 10, 5))
        first, second = (jobs.lock(session, each) for each in made)
        flow.fail(session, take(session, queued(session, first)[0], worker), error, engine_seconds=1.0, retry=False)
        succeed(session, take(session, queued(session, second)[0], worker))
        deliveries.put(session, webhook, notices.of_test(session, webhook.id))
        for taken in deliveries.take(session, limit=9, lease_seconds=60):
            deliveries.settle(session, taken, Outcome(0.5, 500, None, "It answered 500."), Patience([], 9))
    engine.dispose()
    settings.datasets_dir.touch()
    assert client.get("/readyz").status_code == 503, "where the folder should be is a file"
    settings.datasets_dir.unlink()


def labels_of(node: Any, exposed: Exposed) -> set[str]:
    """The labels that the result of a query has. Fails where it asks for a metric, a label or a value of one that is not there."""
    match node:
        case promql.VectorSelector():
            return _selected(node, exposed)
        case promql.MatrixSelector():
            return labels_of(node.vector_selector, exposed)
        case promql.ParenExpr():
            return labels_of(node.expr, exposed)
        case promql.AggregateExpr():
            below, kept = labels_of(node.expr, exposed), set(node.modifier.labels if node.modifier else ())
            assert kept <= below, f"{kept - below} of {node}"
            return kept
        case promql.Call():
            of_buckets = node.func.name == "histogram_quantile"
            (below,) = (labels_of(each, exposed) for each in node.args if not isinstance(each, promql.NumberLiteral))
            assert not of_buckets or "le" in below, node
            return below - {"le"} if of_buckets else below
        case promql.BinaryExpr():
            left, right = (labels_of(side, exposed) for side in (node.lhs, node.rhs))
            scalars = [isinstance(side, promql.NumberLiteral) for side in (node.lhs, node.rhs)]
            assert any(scalars) or left == right, f"nothing matches: {left} and {right} of {node}"
            return left | right
        case promql.NumberLiteral():
            return set()
    raise AssertionError(f"{type(node)} is not looked through")


def _selected(node: Any, exposed: Exposed) -> set[str]:
    assert node.name in exposed, node.name
    found = exposed[node.name]
    for matcher in node.matchers.matchers:
        if matcher.name in OF_THE_SCRAPE:
            continue
        regular = matcher.op == promql.MatchOp.Re
        pattern = matcher.value if regular else re.escape(matcher.value)
        assert any(re.fullmatch(pattern, value) for value in found[matcher.name]), f"{matcher} of {node.name}"
    return set(found) | OF_THE_SCRAPE


def queries() -> Iterator[tuple[str, str, str]]:
    """Title of a panel, query without Grafana's variables, legend."""
    for title, panel in PANELS.items():
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "5m").replace("$job", "dna")
            yield title, query, target["legendFormat"]


def test_the_dashboard_asks_for_what_there_is(exposed: Exposed) -> None:
    for title, query, legend in queries():
        assert "$" not in query, title
        found = labels_of(promql.parse(query), exposed)
        assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= found, f"{title}: {legend} of {query}"


def test_alerts_ask_for_what_there_is(exposed: Exposed) -> None:
    for name, rule in RULES.items():
        found = labels_of(promql.parse(rule["expr"]), exposed)
        said = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        assert said <= found, name
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}
        if "for" in rule:
            assert promql.parse_duration(rule["for"]) > timedelta(0)


@pytest.mark.parametrize(
    "query",
    [
        "no_such_metric",
        "max by (nothing) (dna_steps_waiting)",
        'dna_workers{busy="perhaps"}',
        "histogram_quantile(0.9, max by (kind) (rate(dna_step_seconds_bucket[5m])))",
        "max by (queue) (dna_steps_waiting) / dna_workers",
    ],
)
def test_a_query_for_what_is_not_there_is_found(exposed: Exposed, query: str) -> None:
    with pytest.raises(AssertionError):
        labels_of(promql.parse(query), exposed)


def test_every_metric_is_documented(exposed: Exposed) -> None:
    docs = (DEPLOY.parent / "docs" / "operations.md").read_text()
    told = (name for name in exposed if name.startswith("dna_") and not name.endswith("_created"))
    own = {re.sub("_(bucket|count|sum)$", "", name) for name in told}
    assert [name for name in sorted(own) if f"`{name}`" not in docs] == []


def test_what_comes_from_the_database_is_not_added_up_over_processes() -> None:
    """Each of several processes says it: a sum would be so many times too much."""
    everything = [query for _, query, _ in queries()] + [rule["expr"] for rule in RULES.values()]
    for query in everything:
        promql.walk(promql.parse(query), _check_sums)
    with pytest.raises(AssertionError):
        promql.walk(promql.parse("sum by (kind) (rate(dna_step_retries_total[5m]))"), _check_sums)


def _check_sums(node: Any) -> bool:
    if isinstance(node, promql.AggregateExpr) and str(node.op) in ("sum", "avg"):
        below = node.expr
        while isinstance(below, promql.Call):
            below = below.args[-1]
        if isinstance(below, promql.MatrixSelector):
            below = below.vector_selector
        assert not isinstance(below, promql.VectorSelector) or below.name.startswith("dna_http_"), str(node)
    return True


def test_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
