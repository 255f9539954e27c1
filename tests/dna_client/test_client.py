"""The client against a real API process."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from uuid import UUID

import pytest

from dna_client import ApiError, Client
from dna_client.errors import (
    Conflict,
    InfeasibleBudget,
    InvalidRequest,
    JobNotSucceeded,
    LocalError,
    NotFound,
    ServerUnreachable,
    Unauthorized,
)
from tests.api.builders import WEIGHTS, finish
from tests.dna_client.conftest import PAUSES, Api
from tests.dna_client.proxy import proxy


def test_creates_a_search_with_defaults_and_reads_it_back(client: Client) -> None:
    made = client.create_search({"dataset": "digits", "budget": {"flops": 4e6}, "seed": 7})
    assert client.get_search(made["id"]) == made
    assert made["state"] == "queued"
    assert made["spec"]["budget"]["flops"] == 4_000_000
    assert [step["kind"] for step in made["steps"]] == ["teacher"]


def test_lists_by_state_and_label_page_by_page(client: Client) -> None:
    ids = [client.create_search({"dataset": "digits", "labels": {"page": "yes"}})["id"] for _ in range(3)]
    first = client.list_searches(labels={"page": "yes"}, limit=2)
    assert [found["id"] for found in first["items"]] == ids[:0:-1]
    second = client.list_searches(labels={"page": "yes"}, limit=2, cursor=first["next"])
    assert [found["id"] for found in second["items"]] == ids[:1]
    assert second["next"] is None
    assert client.list_searches(state="failed", labels={"page": "yes"})["items"] == []


def test_walks_over_every_page(client: Client, finished: str) -> None:
    ratings = list(client.ratings(finished, block=2, limit=7))
    expected = client.estimate_search({"dataset": "digits"})["spec"]["space"]["blocks"][1]["cells"]
    assert {rating["cell"] for rating in ratings} == set(range(1, len(expected) + 1))
    assert len(ratings) == len({(rating["cell"], rating["index"]) for rating in ratings}) > 7
    assert len({teacher["name"] for teacher in client.teachers()}) > 50


def test_an_impossible_budget_carries_the_feasible_range(client: Client) -> None:
    with pytest.raises(InfeasibleBudget, match="No network of the space fits") as caught:
        client.create_search({"dataset": "digits", "budget": {"flops": 10}})
    low, high = caught.value.feasible["flops"]
    assert 10 < low < high
    assert caught.value.status == 422


def test_every_wrong_field_is_named(client: Client) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.create_search({"dataset": "digits", "colour": "red", "budget": {"flops": -1}})
    assert {error.where for error in caught.value.errors} == {"budget.flops", "colour"}


def test_refusals_are_errors_of_their_own(client: Client, api: Api, finished: str) -> None:
    with pytest.raises(NotFound):
        client.get_search("00000000-0000-7000-8000-000000000000")
    with pytest.raises(Conflict, match="succeeded"):
        client.cancel_search(finished)
    with Client(api.url, "dna_wrong", pauses=()) as stranger, pytest.raises(Unauthorized):
        stranger.list_searches()


def test_addresses_and_keys_that_cannot_work_are_refused_at_once() -> None:
    with pytest.raises(LocalError, match="http://"):
        Client("127.0.0.1:8000")
    with pytest.raises(LocalError, match="key"):
        Client(api_key="dna_\u00fc")


def test_says_where_nothing_answers() -> None:
    with (
        Client("http://127.0.0.1:1", pauses=(0.01,)) as client,
        pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:1"),
    ):
        client.list_searches()


def test_a_create_whose_answer_was_lost_is_repeated_and_done_once(api: Api) -> None:
    with proxy(api.url, cuts=[20]) as broken, Client(broken.url, pauses=PAUSES) as client:
        made = client.create_search({"dataset": "digits", "labels": {"lost": "answer"}})
        assert broken.connections == 2
        assert [found["id"] for found in client.list_searches(labels={"lost": "answer"})["items"]] == [made["id"]]


def test_a_resume_whose_answer_was_lost_is_not_repeated(api: Api, client: Client) -> None:
    made = client.create_search({"dataset": "digits"})
    client.cancel_search(made["id"])
    with proxy(api.url, cuts=[20]) as broken, Client(broken.url, pauses=PAUSES) as other:
        with pytest.raises(ServerUnreachable):
            other.resume_search(made["id"])
        assert broken.connections == 1


def test_waits_for_success(client: Client, api: Api) -> None:
    made = client.create_search({"dataset": "digits"})
    worker = threading.Thread(target=finish, args=(api.sessions, api.blobs, UUID(made["id"])))
    worker.start()
    done = client.wait(made["id"])
    worker.join()
    assert done["state"] == "succeeded"
    assert done["best"] is not None


def test_waiting_for_a_cancelled_search_says_how_to_go_on(client: Client) -> None:
    made = client.create_search({"dataset": "digits"})
    client.cancel_search(made["id"])
    with pytest.raises(JobNotSucceeded, match=r"was cancelled\.\n.*dna search resume"):
        client.wait(made["id"])


def test_deletes(client: Client) -> None:
    made = client.create_search({"dataset": "digits"})
    with pytest.raises(Conflict, match="Cancel it"):
        client.delete_search(made["id"])
    client.cancel_search(made["id"])
    client.delete_search(made["id"])
    with pytest.raises(NotFound):
        client.get_search(made["id"])


def test_frontier_and_selection_agree(client: Client, finished: str) -> None:
    points = client.frontier(finished)["points"]
    middle = points[len(points) // 2]
    chosen = client.select(finished, {"flops": middle["cost"]}, top_k=3, min_distance=2)["architectures"]
    assert chosen[0]["loss"] == pytest.approx(middle["loss"])
    assert [network["loss"] for network in chosen] == sorted(network["loss"] for network in chosen)
    assert client.get_architecture(chosen[0]["id"])["role"] in ("selected", "winner")


def test_downloads_under_the_servers_name_into_a_folder(client: Client, finished: str, tmp_path: Path) -> None:
    winner = client.get_search(finished)["best"]
    assert winner is not None
    file = client.download(winner["architecture_id"], "safetensors", tmp_path)
    assert file.path.read_bytes() == WEIGHTS
    assert file.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert list(tmp_path.iterdir()) == [file.path]
    assert file.path.name == f"winner-of-finished-{winner['architecture_id'][-8:]}.safetensors"


def test_a_download_that_is_refused_leaves_nothing_behind(client: Client, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        client.download("00000000-0000-7000-8000-000000000000", "onnx", tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot be written"):
        client.download("00000000-0000-7000-8000-000000000000", "onnx", tmp_path / "file" / "model.onnx")


def test_lists_what_there_is(client: Client) -> None:
    assert "digits" in {dataset["name"] for dataset in client.datasets()}
    assert client.get_dataset("digits")["num_classes"] == 10
    assert {teacher["name"] for teacher in client.teachers("resnet10t")} == {"resnet10t"}
    (small,) = (space for space in client.spaces(16, 10) if space["name"] == "mbconv-small")
    assert small["space"] == client.estimate_search({"dataset": "digits"})["spec"]["space"]
    assert "/searches" in client.openapi()["paths"]


def test_reads_series(client: Client, finished: str) -> None:
    assert client.metrics(finished, prefix="distill/") == {}
    with pytest.raises(ApiError):
        client.metrics("00000000-0000-7000-8000-000000000000")
