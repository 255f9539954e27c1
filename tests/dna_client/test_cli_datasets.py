"""Commands on datasets, with a worker that checks what was sent."""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select

from dna_client import Client
from dna_client.errors import DatasetRejected, InvalidRequest, LocalError
from store import datasets
from store.session import transaction
from store.states import JobKind, StepState
from store.tables import Job, Step
from tests.checks import run_check
from tests.dna_client.conftest import PAUSES, Api, Dna
from tests.dna_client.proxy import Proxy


@pytest.fixture(scope="module", autouse=True)
def worker(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Checks what waits, one after another."""
    folder, over = tmp_path_factory.mktemp("worker"), threading.Event()
    query = select(Job.id).join(Step, Step.job_id == Job.id)
    query = query.where(Job.kind == JobKind.CHECK, Step.state == StepState.QUEUED)

    def work() -> None:
        while not over.wait(0.05):
            with transaction(api.sessions) as session:
                waiting: list[UUID] = list(session.scalars(query))
            for dataset in waiting:
                run_check(api.sessions, api.blobs, dataset, folder)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    for number, name in enumerate(("owl", "wren")):
        (tmp_path / "birds" / name).mkdir(parents=True)
        for shade in range(5):
            Image.new("L", (9, 9), 40 * shade + number).save(tmp_path / "birds" / name / f"{shade}.png")
    return tmp_path / "birds"


def test_a_dataset_is_sent_as_a_folder_or_a_file(dna: Dna, birds: Path, tmp_path: Path) -> None:
    told = dna("dataset", "create", str(birds))
    assert told.code == 0, told.err
    assert told.out.splitlines()[:4] == [
        "images   8 to train, 2 to test",
        "classes  2",
        "  owl: 4 train, 1 test",
        "  wren: 4 train, 1 test",
    ]
    assert "note: Grey pictures become colour pictures of three equal channels. (10: owl/0.png" in told.out
    assert told.out.splitlines()[-1] == "birds@1 is ready."
    with tarfile.open(tmp_path / "more.tgz", "w:gz") as tar:
        tar.add(birds, "birds")
    made = dna("dataset", "create", str(tmp_path / "more.tgz"), "--name", "birds", "--json").json
    assert (made["name"], made["version"], made["class_names"]) == ("birds", 2, ["owl", "wren"])
    assert made["fingerprint"] == dna("dataset", "show", "birds@1", "--json").json["fingerprint"]
    assert dna("dataset", "show", "birds", "--json").json["version"] == 2
    assert dna("dataset", "report", "birds@1", "--json").json["splits"] == {"train": 8, "test": 2}
    assert dna("dataset", "create", str(tmp_path / "nothing.zip")).code == 2
    refused = dna("dataset", "create", str(birds), "--on-server", "--name", "there")
    assert (refused.code, "DNA_DATASET_FOLDERS" in refused.err) == (2, True)
    shown = dna("dataset", "show", "birds@1").out.splitlines()
    assert [line.split()[1:] for line in shown if line.startswith(("aspect_ratios", "class_names"))] == [
        ["1,", "1,", "1"],
        ["owl,", "wren"],
    ]
    assert dna("dataset", "delete", "birds").code == 0
    assert dna("dataset", "show", "birds", "--json").json["version"] == 1


def test_one_that_is_rejected_ends_with_the_reason_said_once(api: Api, dna: Dna, birds: Path) -> None:
    (birds / "owl/0.png").write_text("no picture")
    bad = dna("dataset", "create", str(birds), "--name", "bad")
    assert bad.code == DatasetRejected.exit_code
    assert "error: Files that cannot be used as images: remove or replace them. (1: owl/0.png" in bad.out
    assert "checked" in bad.err.splitlines()
    assert bad.err.splitlines()[-1] == "error: bad@1 is rejected; the errors above say what to do."
    assert dna("dataset", "watch", "bad").code == DatasetRejected.exit_code
    assert "owl/0.png" in dna("dataset", "watch", "bad", "--json").err
    shown = dna("dataset", "show", "bad").out.splitlines()
    assert any(line.startswith("error         Files that cannot be used") for line in shown)


def test_one_whose_check_came_to_no_report_says_why(api: Api, dna: Dna, birds: Path) -> None:
    made = dna("dataset", "create", str(birds), "--name", "lost", "--json").json
    with transaction(api.sessions) as session:
        found = datasets.get(session, UUID(made["id"]))
        datasets.reject(session, found.id, {"code": "worker_lost", "message": "Its workers were lost."})
        found.report = None
    lost = dna("dataset", "watch", "lost")
    assert (lost.code, "Its workers were lost." in lost.err) == (DatasetRejected.exit_code, True)


def test_who_does_not_wait_follows_it_later(dna: Dna, birds: Path) -> None:
    told = dna("dataset", "create", str(birds), "--name", "later", "--detach")
    assert told.out.strip() == "later@1 is being checked: dna dataset watch later@1"
    assert "images   8 to train, 2 to test" in dna("dataset", "watch", "later").out


def test_a_check_without_a_service_prints_the_same_report(
    dna: Dna, birds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = dna("dataset", "create", str(birds), "--name", "same").out
    monkeypatch.setenv("DNA_URL", "http://127.0.0.1:9")
    assert dna("dataset", "check", str(birds)).out.splitlines() == sent.splitlines()[:-1]
    wrong = dna("dataset", "check", str(birds), "--layout", "bogus")
    assert (wrong.code, "'auto' or 'classes'" in wrong.err) == (2, True)
    (birds / "owl/0.png").write_text("no picture")
    bad = dna("dataset", "check", str(birds), "--json")
    assert (bad.code, json.loads(bad.out)["findings"][0]["code"]) == (DatasetRejected.exit_code, "unreadable")
    assert bad.err == f"error: {birds} cannot be used as it is; the errors above say what to do.\n"
    assert dna("dataset", "check", str(birds / "nowhere")).code == 2


def test_what_is_refused_is_not_sent_or_does_not_stay(api: Api, birds: Path) -> None:
    sent: list[int] = []
    photos = birds.rename(birds.parent / "My Photos")
    incoming = api.data / "datasets" / "incoming"
    before = set(incoming.glob("*"))
    with Client(api.url, pauses=PAUSES) as client:
        with pytest.raises(LocalError, match=r"'My Photos' cannot name a dataset: give it another \(--name\)"):
            client.create_dataset(photos, told=lambda done, size: sent.append(done))
        assert not sent
        with pytest.raises(InvalidRequest, match="layout"):
            client.create_dataset(photos, "photos", layout="bogus", told=lambda done, size: sent.append(done))
    assert sent
    assert set(incoming.glob("*")) == before


def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    api: Api, birds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers of several requests never arrive: what had arrived before is not sent again."""
    monkeypatch.setattr("dna_client.upload.PIECE", 4000)
    told: list[int] = []
    proxy = Proxy(api.url, [0, 400, 0, 0])
    thread = threading.Thread(target=proxy.serve)
    thread.start()
    with Client(proxy.url, pauses=PAUSES) as client:
        made = client.create_dataset(birds, "broken", told=lambda sent, size: told.append(sent))
    proxy.close()
    thread.join()
    assert (made["state"], made["num_train"]) == ("ready", 8)
    assert proxy.connections > 1
    assert told == sorted(told)
    assert told[-1] == max(told)


def test_one_that_is_sent_twice_under_a_key_is_one(api: Api, birds: Path) -> None:
    with Client(api.url, pauses=PAUSES) as client:
        first, again = (client.create_dataset(birds, "keyed", wait=False, idempotency_key="mine") for _ in range(2))
    assert (again["id"], again["version"]) == (first["id"], 1)


def test_pictures_and_classes_of_it(api: Api, birds: Path) -> None:
    with Client(api.url, pauses=PAUSES) as client:
        made = client.create_dataset(birds, "seen")
        assert [(found["name"], found["images"]) for found in client.checks.classes("seen")] == [
            (name, {"train": 4, "test": 1}) for name in ("owl", "wren")
        ]
        samples = client.checks.samples("seen", "owl")
        assert len(samples) == 4
        assert samples[0]["url"].startswith(f"/datasets/{made['id']}/samples/0/")
