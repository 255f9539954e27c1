"""Trainings through the client, against a real API process; what they share with searches is tested there too."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import UUID

import pytest

from dna_client import Client
from dna_client.errors import Conflict, InvalidRequest, JobNotSucceeded, NotFound
from dna_client.progress import JobProgress
from dna_engine.events import Progress
from dna_engine.plans import Phase
from store import flow, jobs
from store.session import transaction
from tests.api.builders import ENDS, WEIGHTS, finish
from tests.dna_client.conftest import PAUSES, Api
from tests.dna_client.proxy import proxy
from tests.store.builders import new_worker, queued, take


def test_a_training_is_created_with_defaults_and_read_back(client: Client, network: str) -> None:
    made = client.trainings.create({"architecture": network, "dataset": "digits", "epochs": 3})
    assert client.trainings.get(made["id"]) == client.get_training(made["id"]) == made
    assert (made["state"], made["architecture_id"], made["search_id"]) == ("queued", network, None)
    assert made["spec"] is not None
    assert (made["spec"]["epochs"], made["spec"]["recipe"]) == (3, "quick")
    assert [(step["kind"], step["phase"]) for step in made["steps"]] == [("train", "train")]


def test_wrong_fields_are_named(client: Client, network: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.trainings.create({"architecture": network, "dataset": "digits", "epochs": 0})
    assert [error.where for error in caught.value.errors] == ["epochs"]
    with pytest.raises(InvalidRequest, match="There is no network"):
        client.trainings.create({"architecture": "dna", "dataset": "digits"})


def test_a_create_whose_answer_was_lost_makes_one_training(api: Api, network: str) -> None:
    with proxy(api.url, cuts=[20]) as broken, Client(broken.url, pauses=PAUSES) as client:
        made = client.trainings.create({"architecture": network, "dataset": "digits", "labels": {"lost": "answer"}})
        assert [found["id"] for found in client.trainings.list(labels={"lost": "answer"})["items"]] == [made["id"]]


def test_trainings_are_listed_by_what_they_are(client: Client, finished: str, network: str, trained: str) -> None:
    of_network = client.trainings.list(architecture=network, state="succeeded")["items"]
    assert [(found["network"], found["search_id"]) for found in of_network] == [("network", None), ("winner", finished)]
    assert {found["network"] for found in client.trainings.list(search=finished)["items"]} >= {"winner", "control"}
    assert [found["id"] for found in client.trainings.list(labels={"made": "alone"})["items"]] == [trained]
    assert [found["id"] for found in client.trainings.list(ref="trained", dataset="digits")["items"]] == [trained]
    assert client.trainings.list(labels={"made": "alone"}, state="failed")["items"] == []


def test_events_tell_how_far_a_training_is(api: Api, client: Client, network: str) -> None:
    made = client.trainings.create({"architecture": network, "dataset": "digits"})
    with transaction(api.sessions) as session:
        claim = take(session, queued(session, jobs.lock(session, UUID(made["id"])))[0], new_worker(session))
        said = Progress(done=30, total=120, unit="steps", parts=["network"], eta_seconds=9.0)
        flow.report(session, claim, [said], engine_seconds=1.0)
    progress = JobProgress("training")
    for event in client.trainings.events(made["id"]):
        progress.apply(event)
        if event["type"] == "progress":
            break
    assert [(phase.name, phase.fraction) for phase in progress.phases] == [("train", 0.25), ("export", 0.0)]
    assert (progress.state, progress.phase, [part.name for part in progress.parts]) == ("running", "train", ["network"])
    assert progress.eta_seconds == client.trainings.get(made["id"])["eta_seconds"]
    client.trainings.cancel(made["id"])


def test_waits_for_success(api: Api, client: Client, network: str) -> None:
    made = client.trainings.create({"architecture": network, "dataset": "digits"})
    worker = threading.Thread(target=finish, args=(api.sessions, api.blobs, UUID(made["id"])))
    worker.start()
    done = client.trainings.wait(made["id"])
    worker.join()
    assert (done["state"], done["test_accuracy"]) == ("succeeded", 0.99)
    assert [file["format"] for file in done["files"]] == [*ENDS]


def test_cancel_resume_delete(client: Client, network: str) -> None:
    made = client.trainings.create({"architecture": network, "dataset": "digits"})
    assert client.trainings.cancel(made["id"])["state"] == "cancelled"
    with pytest.raises(JobNotSucceeded, match=rf"The training \S+ was cancelled\.\n.*dna training resume {made['id']}"):
        client.trainings.wait(made["id"])
    assert client.trainings.resume(made["id"])["state"] == "queued"
    with pytest.raises(Conflict, match="Cancel it"):
        client.trainings.delete(made["id"])
    client.trainings.cancel(made["id"])
    client.trainings.delete(made["id"])
    with pytest.raises(NotFound):
        client.trainings.get(made["id"])


def test_a_training_of_a_search_goes_as_its_search(api: Api, client: Client) -> None:
    search = client.create_search({"dataset": "digits"})["id"]
    finish(api.sessions, api.blobs, UUID(search), until=Phase.SELECT)
    [winner] = [found for found in client.trainings.list(search=search)["items"] if found["network"] == "winner"]
    with pytest.raises(Conflict, match=f"dna search cancel {search}"):
        client.trainings.cancel(winner["id"])
    client.cancel_search(search)
    with pytest.raises(JobNotSucceeded, match=f"dna search resume {search}"):
        client.trainings.wait(winner["id"])
    assert list(client.trainings.events(winner["id"])) == list(client.events(search))


def test_what_a_training_left_is_downloaded(client: Client, trained: str, tmp_path: Path) -> None:
    file = client.trainings.download(trained, "safetensors", tmp_path)
    assert file.path.read_bytes() == WEIGHTS
    assert file.path.name == f"{client.trainings.get(trained)['name']}-{trained[-8:]}.safetensors"


def test_reads_series(client: Client, trained: str) -> None:
    assert client.trainings.metrics(trained, prefix="train/") == {}
    with pytest.raises(NotFound):
        client.trainings.metrics("00000000-0000-7000-8000-000000000000")
