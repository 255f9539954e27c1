"""Metrics, ratings, frontier and selection, on random ratings, against the engine's own answers."""

from __future__ import annotations

import shutil
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from dna_engine.plans import Phase
from dna_engine.select import Problem, best, frontier
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import ResolvedSpec
from store import events
from store.blobs import BlobStore
from store.events import Point
from store.session import Sessions, transaction
from tests.api.builders import FEW_TRIED, finish, latency, ratings
from tests.api.conftest import Finished
from tests.api.problems import pointers, problem


@pytest.fixture(scope="module")
def expected(finished: Finished) -> Problem:
    return Problem(ratings(ResolvedSpec.model_validate(finished.get("").json()["spec"])))


def test_every_rating_comes_once_with_its_ops(finished: Finished, expected: Problem) -> None:
    items, params = [], {"limit": 100}
    while True:
        page = finished.get("/ratings", **params).json()
        items += page["items"]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    space = expected.ratings.space
    assert len(items) == sum(space.paths_per_block)
    for ref in space.cells:
        mine = [item for item in items if (item["block"], item["cell"]) == (ref.block, ref.cell)]
        assert [item["loss"] for item in mine] == expected.ratings.losses[ref].tolist()
        assert [tuple(item["ops"]) for item in mine] == [
            tuple(op.name for op in path) for path in space.paths(space.cell(ref))
        ]
        assert [item["index"] for item in mine] == list(range(len(mine)))


def test_ratings_of_a_block_and_of_a_cell(finished: Finished, expected: Problem) -> None:
    space = expected.ratings.space
    block = finished.get("/ratings", block=2, limit=10_000).json()["items"]
    assert len(block) == space.paths_per_block[1]
    cell = finished.get("/ratings", block=2, cell=1, limit=10_000).json()
    assert cell["next"] is None
    assert cell["items"] == [item for item in block if item["cell"] == 1]
    body = problem(finished.get("/ratings", block=9), 422, "invalid_request")
    assert body["errors"][0]["parameter"] == "block"
    assert "b1c1" in body["detail"]


def test_the_frontier_is_the_engines(finished: Finished, expected: Problem) -> None:
    for cost in ("flops", "params"):
        body = finished.get("/frontier", cost=cost).json()
        exact = frontier(expected, cost)
        assert [(point["cost"], point["loss"]) for point in body["points"]] == list(
            zip(exact.costs.tolist(), exact.losses.tolist(), strict=True)
        )
        for point in body["points"]:
            assert point["cost"] == point[cost]
            counted = architecture_cost(Architecture.from_json(point["architecture"]))
            assert (counted.flops, counted.params) == (point["flops"], point["params"])
            assert point["architecture"]["preprocessing"]["size"] == expected.ratings.input_size
    for cost in ("beauty", "latency_ns"):
        problem(finished.get("/frontier", cost=cost), 422, "invalid_request")


def test_points_of_the_frontier_without_networks_say_which_they_are(finished: Finished, expected: Problem) -> None:
    whole = finished.get("/frontier").json()
    bare = finished.get("/frontier", networks="false").json()
    assert whole["total"] == bare["total"] == len(whole["points"])
    for full, compact in zip(whole["points"], bare["points"], strict=True):
        assert compact == full | {"architecture": None}
        assert expected.named(compact["blocks"]).architecture.to_json().items() <= full["architecture"].items()
    asked = {"budget": {"flops": bare["points"][3]["cost"]}, "keep": False}
    (found,) = finished.client.post(f"/searches/{finished.id}/select", json=asked).json()["architectures"]
    assert found["architecture"] == whole["points"][3]["architecture"]


@pytest.mark.parametrize("most", [2, 3, 7, 100_000])
def test_a_thinned_frontier_keeps_its_ends_and_lies_evenly(finished: Finished, most: int) -> None:
    whole = finished.get("/frontier").json()
    some = finished.get("/frontier", points=most, networks="false").json()
    costs, all_costs = ([point["cost"] for point in each["points"]] for each in (some, whole))
    assert len(costs) <= most
    assert (costs[0], costs[-1], some["total"]) == (all_costs[0], all_costs[-1], len(all_costs))
    assert costs == sorted(set(costs))
    if most > len(all_costs):
        assert costs == all_costs
    else:
        for wanted in np.linspace(all_costs[0], all_costs[-1], most):
            nearest = min(abs(cost - wanted) for cost in all_costs)
            assert min(abs(cost - wanted) for cost in costs) == nearest
    problem(finished.get("/frontier", points=1), 422, "invalid_request")


def test_strips_show_each_cell_by_rank(finished: Finished, expected: Problem) -> None:
    space, ratings_by_cell = expected.ratings.space, expected.ratings.losses
    cells = finished.get("/ratings/strips", points=20).json()["cells"]
    [selected] = [step for step in finished.get("").json()["steps"] if step["kind"] == "select"]
    winner = selected["values"]["winner"]["architecture"]["blocks"]
    assert [(cell["block"], cell["cell"]) for cell in cells] == [(ref.block, ref.cell) for ref in space.cells]
    for ref, strip in zip(space.cells, cells, strict=True):
        losses = np.sort(ratings_by_cell[ref])
        assert (strip["paths"], strip["min"], strip["max"]) == (len(losses), losses[0], losses[-1])
        assert strip["median"] == np.median(losses)
        chosen = [item["ops"] for item in strip["items"] if item["chosen"]]
        assert chosen == ([winner[ref.block - 1]["ops"]] if winner[ref.block - 1]["cell"] == ref.cell else [])
        ranks = [item["rank"] for item in strip["items"]]
        assert ranks == (
            [*range(1, 11), *ranks[10:-1], len(losses)] if len(losses) > 20 else [*range(1, 1 + len(losses))]
        )
        assert len(ranks) == len(set(ranks)) == min(20, len(losses))
        for item in strip["items"]:
            assert item["loss"] == losses[item["rank"] - 1] == ratings_by_cell[ref][item["index"]]
            assert item["ops"] == [op.name for op in space.path(space.cell(ref), item["index"])]
    problem(finished.get("/ratings/strips", points=19), 422, "invalid_request")


def test_costs_in_strips_are_those_of_networks(finished: Finished, expected: Problem) -> None:
    """Two networks that differ in one path of the last block, behind the width that it was rated with, differ by what the paths do."""
    space = expected.ratings.space
    ref = space.cells[-1]
    strip = finished.get("/ratings/strips", points=20).json()["cells"][-1]["items"]
    nominal = space.in_width(ref.block)
    before = [
        next(c for c in block.cells if number != ref.block - 1 or c.width == nominal)
        for number, block in enumerate(space.blocks, 1)
    ]

    def costs(index: int) -> tuple[int, int]:
        choices = [
            (block.cells.index(cell) + 1, space.path(cell, 0)) for block, cell in zip(space.blocks, before, strict=True)
        ]
        choices[-1] = (ref.cell, space.path(space.cell(ref), index))
        found = architecture_cost(Architecture.from_choices(space, choices, input_size=expected.ratings.input_size))
        return found.flops, found.params

    first, *others = strip
    for other in others:
        assert other["flops"] - first["flops"] == costs(other["index"])[0] - costs(first["index"])[0]
        assert other["params"] - first["params"] == costs(other["index"])[1] - costs(first["index"])[1]


def test_a_selection_that_is_not_kept_is_the_same_and_stores_nothing(finished: Finished) -> None:
    def networks() -> int:
        return len(finished.client.get("/architectures", params={"search": finished.id, "limit": 200}).json()["items"])

    before = networks()
    asked = {"budget": {"flops": 777_777, "params": 333_333}, "top_k": 3}
    path = f"/searches/{finished.id}/select"
    loose = finished.client.post(path, json=asked | {"keep": False}).json()["architectures"]
    assert networks() == before
    assert {(network["id"], network["role"]) for network in loose} == {(None, None)}
    kept = finished.client.post(path, json=asked).json()["architectures"]
    assert networks() > before
    assert [network | {"id": None, "role": None} for network in kept] == loose


def test_selection_is_the_engines_and_kept(finished: Finished, expected: Problem) -> None:
    low, high = expected.cost_range["flops"]
    asked = {"budget": {"flops": (2 * low + high) // 3, "params": 400_000}, "top_k": 4, "min_distance": 3}
    body = finished.client.post(f"/searches/{finished.id}/select", json=asked).json()
    exact = best(expected, asked["budget"], 4, 3)  # type: ignore[arg-type]
    assert body["exact"] is True
    assert [network["loss"] for network in body["architectures"]] == [network.loss for network in exact.networks]
    again = finished.client.post(f"/searches/{finished.id}/select", json=asked).json()
    assert again == body
    first = body["architectures"][0]
    shown = finished.client.get(f"/architectures/{first['id']}").json()
    assert (shown["role"], shown["architecture"]) == ("selected", first["architecture"])


def test_networks_that_are_kept_get_the_name_that_is_asked_for(finished: Finished, expected: Problem) -> None:
    low, high = expected.cost_range["flops"]
    asked = {"budget": {"flops": (2 * low + high) // 3, "params": 390_000}}

    def name(**more: str) -> str | None:
        [kept] = finished.client.post(f"/searches/{finished.id}/select", json=asked | more).json()["architectures"]
        return finished.client.get(f"/architectures/{kept['id']}").json()["name"]

    assert [name(name="small"), name(), name(name="tiny")] == ["small", "small", "tiny"]
    several = {"name": "x", "top_k": 2}  # Those before it may have names of their own.
    alike = ({"name": like} for like in ("", " ", "dna-b", " DNA-B", "x" * 201))
    for wrong in ({"name": "x", "keep": False}, several, *alike):
        refused = finished.client.post(f"/searches/{finished.id}/select", json=asked | wrong)
        assert pointers(problem(refused, 422, "invalid_request")) == ["#/name"]


def test_hundreds_of_networks_are_selected_at_once(finished: Finished, expected: Problem) -> None:
    asked = {"budget": {"params": 400_000}, "top_k": 256}
    body = finished.client.post(f"/searches/{finished.id}/select", json=asked).json()
    exact = best(expected, {"params": 400_000}, 256)
    assert [network["loss"] for network in body["architectures"]] == [network.loss for network in exact.networks]
    assert len({network["id"] for network in body["architectures"]}) == 256
    refused = finished.client.post(f"/searches/{finished.id}/select", json=asked | {"top_k": 257})
    assert pointers(problem(refused, 422, "invalid_request")) == ["#/top_k"]


def test_a_budget_is_written_as_people_write_it(finished: Finished) -> None:
    chosen = [
        finished.client.post(f"/searches/{finished.id}/select", json={"budget": {"params": written}})
        for written in (400_000, 4e5, "400k", "0.4M")
    ]
    first, *others = (answer.json()["architectures"] for answer in chosen)
    assert others == [first] * 3


def test_the_winner_is_found_again_under_its_own_budget(finished: Finished) -> None:
    spec = finished.get("").json()["spec"]
    body = finished.client.post(f"/searches/{finished.id}/select", json={"budget": spec["budget"]}).json()
    assert [network["id"] for network in body["architectures"]] == [finished.network("winner")]


def test_whether_a_network_was_looked_at_whole_is_said(finished: Finished) -> None:
    spec = finished.get("").json()["spec"]
    asked = {"budget": spec["budget"], "top_k": 2}
    first, second = finished.client.post(f"/searches/{finished.id}/select", json=asked).json()["architectures"]
    assert first["looked_at"] == {"log_loss": 1.5, "accuracy": 0.5}
    assert second["looked_at"] is None


def test_a_selection_that_cannot_be(finished: Finished) -> None:
    def select(**asked: Any) -> Any:
        return finished.client.post(f"/searches/{finished.id}/select", json=asked)

    body = problem(select(budget={"flops": 5}), 422, "infeasible_budget")
    assert (pointers(body), body["binding"]) == (["#/budget/flops"], ["flops"])
    assert pointers(problem(select(budget={"latency_ms": 5}), 422, "invalid_request")) == ["#/budget/latency_ms"]
    assert pointers(problem(select(top_k=0), 422, "invalid_request")) == ["#/top_k"]
    assert pointers(problem(select(k=1), 422, "invalid_request")) == ["#/k"]


def test_latency_can_be_limited_where_it_was_measured(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search = client.post("/searches", json=FEW_TRIED | {"budget": {"latency_ms": 0.02}}).json()
    finish(sessions, blobs, UUID(search["id"]), until=Phase.SELECT)
    resolved = ResolvedSpec.model_validate(search["spec"])
    measured = Problem(ratings(resolved), latency=latency(resolved.parsed_space, resolved.input_size))
    low, high = measured.cost_range["latency_ns"]
    limit = (low + high) // 2
    body = client.post(f"/searches/{search['id']}/select", json={"budget": {"latency_ms": limit / 1e6}}).json()
    (chosen,) = body["architectures"]
    (exact,) = best(measured, {"latency_ns": limit}).networks
    assert (chosen["loss"], chosen["latency_ns"]) == (exact.loss, exact.costs["latency_ns"])
    assert chosen["latency_ns"] <= limit
    refused = client.post(f"/searches/{search['id']}/select", json={"budget": {"latency_ms": low / 2e6}})
    body = problem(refused, 422, "infeasible_budget")
    assert (pointers(body), body["nearest"]) == (["#/budget/latency_ms"], [{"latency_ms": low / 1e6}])
    points = client.get(f"/searches/{search['id']}/frontier", params={"cost": "latency_ns"}).json()["points"]
    assert points[0]["cost"] == points[0]["latency_ns"] == low


def test_a_selection_that_takes_too_long_says_what_to_ask_for(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = f"/searches/{finished.id}/select", {"budget": {"flops": 1_000_000, "params": 400_000}}
    assert finished.client.post(path, json=asked).status_code == 200
    monkeypatch.setattr("api.searches.selection.SELECTION_STEPS", 10)
    body = problem(finished.client.post(path, json=asked), 422, "too_hard")
    assert pointers(body) == ["#/min_distance"]
    assert "fewer networks" in body["detail"]


def test_before_the_ratings_are_finished(client: TestClient, sessions: Sessions, blobs: BlobStore) -> None:
    search = client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.DISTILL)
    for path in ("ratings", "frontier"):
        assert "rate" in problem(client.get(f"/searches/{search}/{path}"), 409, "conflict")["detail"]
    problem(client.post(f"/searches/{search}/select", json={}), 409, "conflict")


def test_metrics_are_series(client: TestClient, sessions: Sessions) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    points = [Point("distill/b1c1/loss", x, 1 / x) for x in (2.0, 1.0)] + [Point("teacher/accuracy", 1.0, 0.9)]
    with transaction(sessions) as session:
        events.add_points(session, UUID(search), points)
    everything = client.get(f"/searches/{search}/metrics").json()
    assert everything == {"series": {"distill/b1c1/loss": [[1.0, 1.0], [2.0, 0.5]], "teacher/accuracy": [[1.0, 0.9]]}}
    some = client.get(f"/searches/{search}/metrics", params={"prefix": "teacher/"}).json()
    assert list(some["series"]) == ["teacher/accuracy"]
    problem(client.get("/searches/0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10/metrics"), 404, "not_found")


def test_long_series_are_thinned(client: TestClient, sessions: Sessions) -> None:
    search = client.post("/searches", json={"dataset": "digits"}).json()["id"]
    with transaction(sessions) as session:
        events.add_points(
            session, UUID(search), [Point("teacher/loss", float(x), -abs(x - 700.5)) for x in range(3000)]
        )
    default = client.get(f"/searches/{search}/metrics").json()["series"]["teacher/loss"]
    assert 500 <= len(default) <= 1000
    few = client.get(f"/searches/{search}/metrics", params={"points": 10}).json()["series"]["teacher/loss"]
    assert len(few) <= 10
    assert [700.0, -0.5] in few
    for points in (9, 10_001):
        problem(client.get(f"/searches/{search}/metrics", params={"points": points}), 422, "invalid_request")


def test_ratings_are_read_once_and_answer_every_budget(
    client: TestClient, sessions: Sessions, blobs: BlobStore, api_settings: ApiSettings
) -> None:
    """23,046 paths, 1.96e17 networks: to parse them takes longer than to choose. Here nothing is left to parse again."""
    spec = {"dataset": "digits", "space": "dna-mbconv", "teacher": {"model": "tf_efficientnet_b0"}, "input_size": 224}
    search = client.post("/searches", json=spec).json()["id"]
    finish(sessions, blobs, UUID(search), until=Phase.SELECT)
    client.get(f"/searches/{search}/frontier")
    shutil.rmtree(api_settings.data_dir / "artifacts")
    for flops in np.linspace(250e6, 500e6, 9).astype(int).tolist():
        response = client.post(f"/searches/{search}/select", json={"budget": {"flops": flops, "params": 4_800_000}})
        assert response.status_code == 200


def test_a_limit_that_no_network_reaches_on_a_device_that_was_measured_is_refused_at_once(
    client: TestClient, sessions: Sessions, blobs: BlobStore
) -> None:
    body = {"dataset": "digits", "budget": {"latency_ms": 1e-4}}
    unknown = client.post("/searches", json=body)
    assert unknown.status_code == 201, "no table is known, so that the search itself measures"
    finish(sessions, blobs, UUID(unknown.json()["id"]), until=Phase.LATENCY)
    refused = problem(client.post("/searches", json=body), 422, "infeasible_budget")
    assert pointers(refused) == ["#/budget/latency_ms"]
    least = refused["nearest"][0]["latency_ms"]
    assert client.post("/searches", json=FEW_TRIED | {"budget": {"latency_ms": least}}).status_code == 201
    other = body | {"input_size": 48}
    assert client.post("/searches", json=other).status_code == 201, "nothing is known of it"
