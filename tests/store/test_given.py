"""What a search takes of the teacher of another: files that last as long as either."""

from __future__ import annotations

import io
from uuid import UUID, uuid4

import pytest

from dna_engine.errors import InvalidSpec
from dna_engine.spec import ResolvedSpec
from store import artifacts, given
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.errors import IllegalTransition
from store.session import Sessions, transaction
from store.settings import Settings
from tests.store.builders import new_search, new_training
from tests.store.kept import rows_and_files
from tests.store.test_trainings import TEACHER, delete

GIVEN = ["given.json", "given.safetensors"]


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.artifacts)


@pytest.fixture
def source(sessions: Sessions, blobs: BlobStore) -> UUID:
    """A search whose teacher is done."""
    written = [StoredFile(name, blobs.write(io.BytesIO(name.encode()))) for name in TEACHER]
    with transaction(sessions) as session:
        search = new_search(session)
        artifacts.record(session, search.id, written)
        return search.id


def test_the_files_outlive_the_search_that_made_them(
    sessions: Sessions, settings: Settings, blobs: BlobStore, source: UUID
) -> None:
    with transaction(sessions) as session:
        search = new_search(session, teacher={"from": str(source)})
        teacher = ResolvedSpec.model_validate(search.resolved).teacher
        taken = search.id
        weights = artifacts.named(session, source, TEACHER)["teacher.safetensors"]
        assert teacher.given is not None
        assert (teacher.given.source, teacher.given.sha256) == (str(source), weights.sha256)
        assert search.spec["teacher"] == {"from": str(source)}
    delete(sessions, blobs, source)
    with transaction(sessions) as session:
        found = artifacts.named(session, taken, GIVEN)
        read = {name: b"".join(blobs.read(artifacts.blob(artifact))) for name, artifact in found.items()}
    assert read == {"given.json": b"teacher.json", "given.safetensors": b"teacher.safetensors"}
    named, there = rows_and_files(sessions, settings.artifacts)
    assert named == there
    assert len(there) == 2
    delete(sessions, blobs, taken)
    assert rows_and_files(sessions, settings.artifacts) == (set(), set())


def test_a_search_without_a_finished_teacher(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        source = new_search(session).id
    with pytest.raises(IllegalTransition, match="has no finished teacher"), transaction(sessions) as session:
        given.find(session, str(source))


def test_what_is_no_search(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        training = new_training(session).id
    for nothing in (str(uuid4()), "resnet18", str(training)):
        with pytest.raises(InvalidSpec, match="There is no search") as caught, transaction(sessions) as session:
            given.find(session, nothing)
        assert caught.value.param == "teacher.from"
