"""What a training would be: nothing of it is stored."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.trainings.examples import SPECS
from tests.api.conftest import Finished
from tests.api.problems import pointers, problem


@pytest.fixture(scope="module")
def network(trained: Finished) -> str:
    found: str = trained.get("").json()["architecture_id"]
    return found


def test_says_what_it_would_be_and_stores_nothing(shared: TestClient, network: str) -> None:
    before = shared.get("/trainings").json()
    body = {"architecture": network, "dataset": "digits", "epochs": 7}
    found = shared.post("/trainings/estimate", json=body).json()
    assert [step["kind"] for step in found["steps"]] == ["train", "export"]
    assert found["device_seconds"] == pytest.approx(sum(step["device_seconds"] for step in found["steps"]))
    assert (found["recipe"]["name"], found["spec"]["epochs"]) == ("quick", 7)
    known = shared.get(f"/architectures/{network}").json()
    assert (found["flops"], found["params"]) == (known["flops"], known["params"])
    assert shared.get("/trainings").json() == before


def test_more_epochs_take_longer(shared: TestClient, network: str) -> None:
    def seconds(epochs: int) -> float:
        body = {"architecture": network, "dataset": "digits", "epochs": epochs}
        return float(shared.post("/trainings/estimate", json=body).json()["device_seconds"])

    assert seconds(100) > 2 * seconds(10)


def test_keeps_no_network_that_is_described(shared: TestClient, network: str) -> None:
    before = shared.get("/architectures").json()
    document = SPECS["published"]["value"]
    assert shared.post("/trainings/estimate", json=document).is_success
    assert shared.get("/architectures").json() == before


def test_what_is_wrong_is_pointed_at(shared: TestClient, network: str) -> None:
    refused = shared.post("/trainings/estimate", json={"architecture": network, "dataset": "digits", "epochs": 0})
    assert pointers(problem(refused, 422, "invalid_request")) == ["#/epochs"]
    nowhere = shared.post("/trainings/estimate", json={"architecture": "dna-z", "dataset": "digits"})
    assert pointers(problem(nowhere, 422, "invalid_request")) == ["#/architecture"]


def test_says_of_a_clone_what_it_says_of_its_spec(shared: TestClient, network: str) -> None:
    made = shared.post("/trainings", json={"architecture": network, "dataset": "digits", "epochs": 7}).json()
    found = [shared.post("/trainings/estimate", json=body).json() for body in ({"from": made["id"]}, made["written"])]
    assert found[0] == found[1]
