"""What a training takes of the search that found its network: files that last as long as either."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from dna_engine.space.architecture import Architecture as Network
from dna_engine.space.architecture import published
from dna_engine.spec import ResolvedSpec, TrainingSpec, resolve_training
from store import architectures, artifacts, files, flow, jobs, keys, trainings
from store.actors import OPERATOR, Actor, acting
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.errors import IllegalTransition
from store.limits import Limits
from store.session import Sessions, transaction
from store.settings import Settings
from store.states import JobState
from store.tables import Architecture, Artifact, Job, Search, Training
from tests.store.builders import finish_phase, new_architecture, new_search, new_worker
from tests.store.kept import rows_and_files

CELLS = [f"cells/b{block}c{choice.cell}.safetensors" for block, choice in enumerate(published("dna-a").blocks, start=1)]
TEACHER = ["teacher.json", "teacher.safetensors"]
FIELDS = {"teacher": {"model": "tf_efficientnet_b7", "weights": "train"}, "space": "dna-mbconv"}


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.artifacts)


@pytest.fixture
def network(sessions: Sessions, blobs: BlobStore) -> UUID:
    """Of a search that has distilled cells and a teacher."""
    written = [StoredFile(name, blobs.write(io.BytesIO(name.encode()))) for name in [*CELLS, *TEACHER, "ratings.json"]]
    with transaction(sessions) as session:
        search = flow.cancel(session, new_search(session, **FIELDS).id)
        artifacts.record(session, search.id, written)
        described = published("dna-a", input_size=32).to_json()
        return architectures.select_network(session, search.id, described, loss=0.5, flops=1000, params=100).id


def train(session: Session, network_id: UUID) -> Training:
    network = architectures.hold(session, network_id)
    asked = {"architecture": str(network_id), "dataset": "digits", "start": "inherited", "distill": {}}
    spec = TrainingSpec.model_validate(asked)
    search = ResolvedSpec.model_validate(session.get_one(Search, network.search_id).resolved)
    resolved = resolve_training(spec, Network.from_json(network.architecture), DIGITS, search)
    return trainings.create(session, spec, resolved, network, max_attempts=1)


def search_of(sessions: Sessions, network: UUID) -> UUID:
    with transaction(sessions) as session:
        return session.get_one(Architecture, network).search_id


def delete(sessions: Sessions, blobs: BlobStore, job_id: UUID) -> None:
    with transaction(sessions) as session:
        session.execute(update(Job).where(Job.id == job_id).values(state=JobState.FAILED))
        locations = jobs.delete(session, job_id)
    files.discard(sessions, blobs, locations)
    files.discard_loose(sessions, blobs)


def test_files_that_it_needs_outlive_their_search_and_go_with_it(
    sessions: Sessions, settings: Settings, blobs: BlobStore, network: UUID
) -> None:
    with transaction(sessions) as session:
        training = train(session, network).id
    delete(sessions, blobs, search_of(sessions, network))
    with transaction(sessions) as session:
        found = artifacts.named(session, training, [*CELLS, *TEACHER, "ratings.json"])
        assert sorted(found) == sorted([*CELLS, *TEACHER])
        for name, artifact in found.items():
            assert b"".join(blobs.read(artifacts.blob(artifact))) == name.encode()
    named, there = rows_and_files(sessions, settings.artifacts)
    assert named == there
    assert len(there) == len(CELLS) + len(TEACHER)
    delete(sessions, blobs, training)
    assert rows_and_files(sessions, settings.artifacts) == (set(), set())


def test_the_search_keeps_its_files_when_the_training_is_deleted(
    sessions: Sessions, settings: Settings, blobs: BlobStore, network: UUID
) -> None:
    before = rows_and_files(sessions, settings.artifacts)
    with transaction(sessions) as session:
        training = train(session, network).id
    assert rows_and_files(sessions, settings.artifacts) == before  # Nothing is copied.
    delete(sessions, blobs, training)
    assert rows_and_files(sessions, settings.artifacts) == before


def test_without_the_files_there_is_no_training(sessions: Sessions, network: UUID) -> None:
    with transaction(sessions) as session:
        artifacts.remove(session, search_of(sessions, network), CELLS[2])
    with (
        pytest.raises(IllegalTransition, match=f"has no file {CELLS[2]}, which this training needs"),
        transaction(sessions) as session,
    ):
        train(session, network)
    with transaction(sessions) as session:
        assert session.scalar(select(Training)) is None
        assert len(session.scalars(select(Artifact)).all()) == len(CELLS) + len(TEACHER)


def test_a_network_is_judged_by_trainings_of_its_project(session: Session) -> None:
    """An admin's may be of another: its dataset is not the one that the search had, though it is called so."""
    found = new_architecture(session)
    elsewhere = keys.create(session, "elsewhere", limits=Limits())[0].project_id
    for project_id, accuracy in ((elsewhere, None), (OPERATOR.project_id, 0.99)):
        session.info.update(acting(Actor(project_id, sees_all=True)))
        spec = TrainingSpec.model_validate({"architecture": str(found.id), "dataset": "digits"})
        resolved = resolve_training(spec, Network.from_json(found.architecture), DIGITS)
        made = trainings.create(session, spec, resolved, found, max_attempts=3)
        session.info.update(acting(OPERATOR))
        finish_phase(session, session.get_one(Job, made.job_id), new_worker(session))
        session.refresh(found)
        assert found.test_accuracy == accuracy
