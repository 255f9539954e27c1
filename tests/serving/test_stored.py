"""Networks of a service, by the names that people know them by."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest
from sqlalchemy.orm import Session

from serving import stored
from serving.errors import CannotServe
from serving.network import Precision, Wanted
from store.blobs import BlobStore
from store.errors import Ambiguous
from store.session import Sessions, transaction
from store.settings import Settings
from store.tables import Job
from tests.api.builders import finish
from tests.api.networks import onnx_of_colours
from tests.serving.running import photo, running
from tests.store.builders import new_search, new_training


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.artifacts)


def named(session: Session, job: Job, name: str) -> UUID:
    job.name = name
    return job.id


def test_networks_are_found_by_what_people_call_them(sessions: Sessions, blobs: BlobStore, settings: Settings) -> None:
    with transaction(sessions) as session:
        birds = named(session, new_search(session), "birds")
        alone = named(session, new_training(session), "birds again")
    finish(sessions, blobs, birds)
    finish(sessions, blobs, alone)

    def load(ref: str, called: str | None = None, precision: Precision = Precision.FP32) -> stored.Network:
        with transaction(sessions) as session:
            return stored.load(session, blobs, Wanted(ref, precision, called))

    with transaction(sessions) as session:
        winner = next(made for made in stored.trainings.of_search(session, birds) if made.network == "winner")
        ids = (winner.id, winner.architecture_id, stored.trainings.get(session, alone).architecture_id)
    training, network, selected = (str(one) for one in ids)
    by_name = load("birds")
    assert by_name.name == "birds-winner"
    assert by_name.onnx == onnx_of_colours(10)
    assert by_name.how is not None
    assert len(by_name.how["classes"]) == 10
    for ref in ("birds/winner", str(birds), f"{birds}/winner", training, network, network.replace("-", "")[-12:]):
        assert load(ref) == by_name, ref
    assert load("birds/control").name == "birds-control"
    for ref in ("birds again", str(alone), selected):
        assert load(ref).name == "birds-again"
    assert load("birds", "mine").name == "mine"
    assert load("birds", precision=Precision.INT8).name == "birds-winner-int8"
    for ref in ("crows", "birds/second", "birds again/winner"):
        with pytest.raises(CannotServe, match="no trained network"):
            load(ref)
    with transaction(sessions) as session:
        early = named(session, new_training(session), "early")
        named(session, new_training(session), "birds again")
    with pytest.raises(CannotServe, match=f"early has no ONNX file of fp32: it is queued.*dna training show {early}"):
        load("early")
    with pytest.raises(Ambiguous, match=str(alone)):
        load("birds again")
    environment = {"DNA_DATABASE_URL": settings.database_url or "", "DNA_DATA_DIR": str(settings.data_dir)}
    with running("birds/control", environment=environment) as server:
        assert server.models == ["birds-control"]
        assert len(httpx.post(server.path("birds-control", "classify"), content=photo()).json()["classes"]) == 5
