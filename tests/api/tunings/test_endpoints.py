"""Tunings by HTTP: what is taken and refused, and what is told of them and their trials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from api.tunings.examples import SPECS
from dna_engine.events import Metric
from dna_engine.plans import Kind
from dna_engine.spec.tunable import PRESETS
from store import flow, jobs, tunings
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.studies import Studies
from tests.api.builders import new_training, new_tuning, winner
from tests.api.conftest import Finished
from tests.api.problems import pointers, problem
from tests.store.builders import new_worker, queued, take, two_groups, values_of


@pytest.fixture(scope="module")
def network(trained: Finished) -> str:
    found: str = trained.get("").json()["architecture_id"]
    return found


def asked(shared: TestClient, network: str, **fields: Any) -> dict[str, Any]:
    """What an estimate says; nothing is stored."""
    body = {"architecture": network, "dataset": "digits", **fields}
    response = shared.post("/tunings/estimate", json=body)
    assert response.status_code == 200, response.text
    estimate: dict[str, Any] = response.json()
    return estimate


@pytest.mark.parametrize("name", SPECS)
def test_the_examples_are_accepted(shared: TestClient, network: str, name: str) -> None:
    for path in ("/tunings", "/tunings/estimate"):
        document = shared.get("/openapi.json").json()["paths"][path]["post"]
        assert document["requestBody"]["content"]["application/json"]["examples"][name]["value"] == SPECS[name]["value"]
        response = shared.post(path, json=SPECS[name]["value"] | {"architecture": network})
        assert response.is_success, response.text


def test_a_new_tuning_is_queued_and_can_be_read_at_once(shared: TestClient, network: str) -> None:
    tuning = new_tuning(shared, network, trials=60)
    assert shared.get(f"/tunings/{tuning['id']}").json() == tuning
    assert (tuning["state"], tuning["phase"], tuning["name"]) == ("queued", "trials", "digits, 60 trials")
    assert (tuning["trials"], tuning["counts"], tuning["best"]) == (60, {"queued": 60}, None)
    assert (tuning["architecture_id"], tuning["recipe"]) == (network, f"tuning:{tuning['id']}")
    assert [step["key"] for step in tuning["steps"]] == [f"trial-{number}" for number in range(1, 51)]
    [listed] = [each for each in shared.get("/tunings").json()["items"] if each["id"] == tuning["id"]]
    assert {name: tuning[name] for name in listed} == listed


def test_a_default_tuning_holds_a_fifth_out_and_is_short(shared: TestClient, network: str) -> None:
    estimate = asked(shared, network)
    spec = estimate["spec"]
    assert (estimate["trials"], estimate["images"], spec["epochs"], spec["pruner"]) == (20, 287, 8, "median")
    assert sorted(spec["search"]) == sorted(PRESETS["small"])
    assert spec["search"]["learning_rate"] == {"low": 3e-4, "high": 3e-2, "log": True, "whole": False}
    assert estimate["device_seconds"] == pytest.approx(20 * estimate["trial_seconds"])


def test_trials_may_begin_with_the_weights_of_a_training(shared: TestClient, trained: Finished) -> None:
    body = {"dataset": "digits", "start": {"training": trained.id}, "trials": 2}
    response = shared.post("/tunings", json=body)
    assert response.status_code == 201, response.text
    spec = response.json()["spec"]
    assert (spec["transferred"]["training"], response.json()["architecture_id"]) == (
        trained.id,
        trained.get("").json()["architecture_id"],
    )


def test_what_all_trials_are_given_is_no_part_of_a_preset(shared: TestClient, network: str) -> None:
    spec = asked(shared, network, learning_rate=0.002)["spec"]
    assert sorted(spec["search"]) == ["label_smoothing", "weight_decay"]
    assert spec["learning_rate"] == 0.002


@pytest.mark.parametrize(
    ("fields", "where", "said"),
    [
        ({"search": {"learning_rat": [1, 2]}}, "/search/learning_rat", "Did you mean 'learning_rate'"),
        ({"search": {"epochs": [1, 2]}}, "/search/epochs", "no field of a recipe that can be tuned named 'epochs'"),
        ({"search": {"learning_rate": [0.1, 0.01]}}, "/search/learning_rate", "must be below the high end"),
        ({"search": {"weight_decay": [0, 0.1, "log"]}}, "/search/weight_decay", "must begin above 0"),
        ({"search": {"learning_rate": [0.1, 11]}}, "/search/learning_rate", "must be at most 10"),
        ({"search": {"label_smoothing": [0.1, 1]}}, "/search/label_smoothing", "must be below 1"),
        ({"search": {"batch_size": [16, 32.5]}}, "/search/batch_size", "whole numbers"),
        ({"search": {"learning_rate": [1e-4, 0.1, "exp"]}}, "/search/learning_rate", 'or [low, high, "log"]'),
        ({"search": {"learning_rate": 0.1}}, "/search/learning_rate", "Write a range as [low, high]"),
        ({"search": {"sampling": ["by_class"] * 2}}, "/search/sampling", "given twice"),
        ({"search": {"repeats": [1, 32]}}, "/search/repeats", "must be at most 16"),
        ({"search": {"warmup_epochs": [0, 20]}}, "/search/warmup_epochs", "There are 8 epochs: warm up in fewer"),
        (
            {"search": {"autoaugment": [False, True], "randaugment": [0, 9]}},
            "/search/randaugment",
            "autoaugment True with randaugment 9",
        ),
        ({"search": {"mixup": [0, 1]}, "augment": False}, "/search/mixup", "Training images are to stay as they are"),
        ({"search": {"sampling": ["uniform"]}}, "/search/sampling", "two at least"),
        ({"search": {"sampling": ["uniform", "evenly"]}}, "/search/sampling", "'by_class'"),
        ({"search": {}}, "/search", "Nothing is to be tried"),
        ({"search": "smal"}, "/search", "Did you mean 'small'"),
        ({"search": {"weight_decay": [0, 1]}, "weight_decay": 0.1}, "/search/weight_decay", "leave one of the two out"),
        ({"trials": 0}, "/trials", "must be at least 1"),
        ({"trials": 1001}, "/trials", "must be at most 1,000"),
        ({"images": 1430}, "/images", "Hold out at most 1,427"),
        ({"pruner": "mean"}, "/pruner", "'median', 'hyperband' or 'none'"),
        ({"trails": 5}, "/trails", "Did you mean trials"),
    ],
)
def test_what_cannot_be_tuned_is_refused_where_it_stands(
    shared: TestClient, network: str, fields: dict[str, Any], where: str, said: str
) -> None:
    response = shared.post("/tunings", json={"architecture": network, "dataset": "digits", **fields})
    refused = problem(response, 422, response.json()["type"].rpartition(":")[2])
    assert pointers(refused) == [f"#{where}"]
    assert said in refused["errors"][0]["detail"]


class Tuned:
    """A tuning of a few trials, and who runs them."""

    def __init__(self, client: TestClient, sessions: Sessions, blobs: BlobStore, **fields: Any) -> None:
        self._sessions, self._client = sessions, client
        self.id: str = new_tuning(client, winner(client, sessions, blobs), **fields)["id"]
        with transaction(sessions) as session:
            self._worker = new_worker(session)

    def get(self, path: str = "", **params: Any) -> dict[str, Any]:
        response = self._client.get(f"/tunings/{self.id}{path}", params=params)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def run(self, studies: Studies, *curve: float, **found: Any) -> None:
        """The next trial, whose accuracies are these."""
        with transaction(self._sessions) as session:
            [step, *_] = queued(session, jobs.lock(session, UUID(self.id)))
            claim = tunings.ask(session, studies, take(session, step, self._worker))
            points = [Metric(series=f"train/{step.key}/accuracy", x=x, y=y) for x, y in enumerate(curve, start=1)]
            flow.report(session, claim, points, engine_seconds=1.0)
            if found:
                values = values_of(Kind.TRIAL) | {"epochs": len(curve)} | found
                flow.succeed(session, claim, values, [], engine_seconds=1.0, group=two_groups)


@pytest.fixture
def studies(api_settings: ApiSettings) -> Iterator[Studies]:
    assert api_settings.database_url is not None
    made = Studies(api_settings.database_url)
    yield made
    made.close()


def test_trials_are_told_of_with_their_curves(
    client: TestClient, sessions: Sessions, blobs: BlobStore, studies: Studies
) -> None:
    tuned = Tuned(client, sessions, blobs, trials=5, epochs=2)
    tuned.run(studies, 0.5, 0.75, value=0.75)
    tuned.run(studies, 0.25, state="pruned", value=0.25, log_loss=None)
    tuned.run(
        studies, state="failed", value=None, error={"code": "engine_crashed", "message": "It crashed.", "param": None}
    )
    tuned.run(studies, 0.5)
    shown = tuned.get()
    assert shown["counts"] == {"complete": 1, "pruned": 1, "failed": 1, "running": 1, "queued": 1}
    assert (shown["best"]["trial"], shown["best"]["value"], shown["state"]) == (1, 0.75, "running")
    first, second = tuned.get("/trials", limit=2), tuned.get("/trials", limit=2)["next"]
    items = first["items"] + tuned.get("/trials", cursor=second)["items"]
    assert [trial["state"] for trial in items] == ["complete", "pruned", "failed", "running", "queued"]
    assert items[0]["params"] == shown["best"]["params"]
    assert [trial["curve"] for trial in items] == [[[1, 0.5], [2, 0.75]], [[1, 0.25]], [], [[1, 0.5]], []]
    assert [trial["epochs"] for trial in items] == [2, 1, 0, 0, 0]
    assert (items[2]["error"]["message"], items[4]["params"]) == ("It crashed.", None)
    assert tuned.get("/importance") == {"importance": {}, "trials": 1}
    assert [step["key"] for step in shown["steps"]] == ["trial-4", "trial-5"]


def test_what_was_found_is_the_recipe_of_a_training_and_of_a_search(
    client: TestClient, sessions: Sessions, blobs: BlobStore, studies: Studies
) -> None:
    tuned = Tuned(client, sessions, blobs, trials=2, dropout=0.1)
    network, body = tuned.get()["architecture_id"], {"dataset": "digits", "recipe": f"tuning:{tuned.id}"}
    early = problem(client.post("/trainings", json=body | {"architecture": network}), 422, "invalid_spec")
    assert (pointers(early), "is complete yet" in early["detail"]) == (["#/recipe"], True)
    tuned.run(studies, 0.5, value=0.5)
    best = tuned.get()["best"]["params"]
    spec = new_training(client, network, **body)["spec"]
    assert {name: spec[name] for name in best} == best
    assert (spec["recipe"], spec["dropout"], spec["epochs"]) == ("quick", 0.1, 25)
    assert spec["warmup_epochs"] == 2.5, "of its own epochs"
    own = new_training(client, network, **body, weight_decay=0.5, epochs=7)["spec"]
    assert (own["weight_decay"], own["epochs"], own["learning_rate"]) == (0.5, 7, best["learning_rate"])
    search = client.post("/searches", json={"dataset": "digits", "retrain": {"recipe": f"tuning:{tuned.id}"}}).json()
    assert {name: search["spec"]["retrain"][name] for name in best} == best


@pytest.mark.parametrize("named", ["tuning:x", "tuning:0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"])
def test_a_recipe_of_no_tuning_is_refused(shared: TestClient, network: str, named: str) -> None:
    body = {"architecture": network, "dataset": "digits", "recipe": named}
    refused = problem(shared.post("/trainings", json=body), 422, "invalid_spec")
    assert pointers(refused) == ["#/recipe"]
    assert "There is no tuning" in refused["detail"]
    refused = problem(shared.post("/tunings", json=body), 422, "invalid_spec")
    assert "Name a row of the table" in refused["detail"]


def test_a_deleted_tuning_leaves_nothing_with_optuna(
    client: TestClient, sessions: Sessions, blobs: BlobStore, studies: Studies
) -> None:
    tuned = Tuned(client, sessions, blobs, trials=2)
    tuned.run(studies, 0.5, value=0.5)
    client.post(f"/tunings/{tuned.id}/cancel")
    assert studies.of() == [UUID(tuned.id)]
    assert client.delete(f"/tunings/{tuned.id}").status_code == 204
    assert studies.of() == []


def test_an_unknown_tuning_or_cursor(shared: TestClient, network: str) -> None:
    for path in ("", "/trials", "/importance"):
        problem(shared.get(f"/tunings/{network}{path}"), 404, "not_found")
    tuning = new_tuning(shared, network, trials=1)["id"]
    response = shared.get(f"/tunings/{tuning}/trials", params={"cursor": "x"})
    assert response.json()["errors"][0]["parameter"] == "cursor"
