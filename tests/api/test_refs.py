"""Where a name or an id is taken, a whole id goes before a name, and what is named like an id is found by its name."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from dna_engine.images.info import DIGITS
from store import datasets, teachers
from store.blobs import Blob
from store.columns import new_id
from store.session import Sessions, transaction
from store.tables import Architecture, Job, Teacher
from tests.api.builders import birds, new_training, new_tuning
from tests.api.problems import problem

LIKE_AN_ID = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"


def _called(sessions: Sessions, row: type[Any], row_id: str, name: str) -> None:
    with transaction(sessions) as session:
        session.get_one(row, row_id).name = name


def test_a_dataset_named_like_an_id_is_found_everywhere(client: TestClient, sessions: Sessions) -> None:
    birds(sessions)
    first = client.get("/datasets/birds").json()["id"]
    with transaction(sessions) as session:
        info = DIGITS.model_copy(update={"name": LIKE_AN_ID, "kind": "upload"})
        made = datasets.create(session, info, fingerprint="f")
        other = datasets.create(session, DIGITS.model_copy(update={"name": first, "kind": "upload"}), fingerprint="g")
        made_id, other_id = str(made.id), str(other.id)
    for ref in (LIKE_AN_ID, f"{LIKE_AN_ID}@1", made_id):
        assert client.get(f"/datasets/{ref}").json()["id"] == made_id
        assert client.get(f"/datasets/{ref}/classes").status_code == 200
        search = client.post("/searches", json={"dataset": ref}).json()
        assert (search["dataset"], search["spec"]["dataset"]["version"]) == (LIKE_AN_ID, 1)
        assert len(client.get("/searches", params={"dataset": ref}).json()["items"]) >= 1
    assert client.get(f"/datasets/{first}").json()["name"] == "birds", "a whole id goes before a name"
    assert client.get(f"/datasets/{first}@1").json()["id"] == other_id, "with its version it can be nothing but a name"
    found = client.get("/searches", params={"dataset": made_id}).json()["items"]
    assert [search["dataset"] for search in found] == [LIKE_AN_ID] * 3
    assert client.get("/searches", params={"dataset": f"{LIKE_AN_ID}@2"}).json()["items"] == []
    problem(client.get(f"/datasets/{new_id()}"), 404, "not_found")


def test_a_teacher_named_like_an_id_is_found(session: Session) -> None:
    def sent(name: str) -> Teacher:
        kept = [Blob(id=new_id().hex, location=f"{name}-{part}", size=1, sha256="0" * 64) for part in "ab"]
        session.commit()
        return teachers.create(
            session, name, "resnet18", num_classes=2, mean=[0.5], std=[0.5], weights=kept[0], about=kept[1]
        )

    owls = sent("owls")
    like, second = sent(LIKE_AN_ID), sent(str(owls.id))
    assert teachers.find(session, LIKE_AN_ID) is teachers.find(session, str(like.id)) is like
    assert teachers.find(session, str(owls.id)) is teachers.find(session, "owls") is owls
    assert teachers.find(session, str(second.id), hold=True) is second


def test_a_network_a_training_and_a_tuning_named_like_an_id_are_found(client: TestClient, sessions: Sessions) -> None:
    network = client.post("/architectures", json={"architecture": "dna-a"}).json()["id"]
    other = client.post("/architectures", json={"architecture": "dna-b"}).json()["id"]
    _called(sessions, Architecture, other, LIKE_AN_ID)
    training = new_training(client, LIKE_AN_ID, input_size=32)
    assert training["architecture_id"] == other
    _called(sessions, Architecture, other, network)
    assert new_training(client, network, input_size=32)["architecture_id"] == network, "a whole id goes before a name"
    tuning = new_tuning(client, network, input_size=32, trials=1, name=LIKE_AN_ID)["id"]
    body = {"architecture": network, "dataset": "digits"}
    for ref in (LIKE_AN_ID, tuning):
        refused = client.post("/trainings", json={**body, "recipe": f"tuning:{ref}"})
        assert f"No trial of the tuning {tuning} is complete" in problem(refused, 422, "invalid_spec")["detail"]
    new_tuning(client, network, input_size=32, trials=1, name=LIKE_AN_ID)
    refused = client.post("/trainings", json={**body, "recipe": f"tuning:{LIKE_AN_ID}"})
    assert "Several tunings are called" in problem(refused, 422, "invalid_spec")["detail"]
    _called(sessions, Job, training["id"], LIKE_AN_ID)
    for ref in (LIKE_AN_ID, training["id"]):
        refused = client.post("/trainings", json={"dataset": "digits", "start": {"training": ref}})
        assert f"The training {training['id']} is queued" in problem(refused, 409, "illegal_transition")["detail"]
