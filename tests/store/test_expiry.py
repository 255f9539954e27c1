"""Finished jobs and what only their work needed go when they have had their time, and nothing that somebody still needs."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store import artifacts, changes, events, expiry, flow, jobs, keys, quotas, retention, teachers, timings
from store.artifacts import StoredFile
from store.blobs import BlobStore
from store.connection import TimeOuts
from store.events import Point
from store.session import Sessions, clock, make_engine, make_sessions, transaction
from store.settings import Settings
from store.states import EventType, JobKind, JobState
from store.tables import Artifact, Job, Metric
from tests.store.builders import names_of, new_architecture, new_search, new_training, new_tuning
from tests.store.kept import rows_and_files

CHECKPOINT, CELL, TEACHER = "checkpoints/distill-1.safetensors", "cells/b1c1.safetensors", "teacher.safetensors"
GIVEN, START = "given.safetensors", "start.safetensors"
FOUND = ("teacher.json", "ratings.json", "winner/weights.safetensors", "winner/model.onnx", "pictures/loss.svg")
ALL = {CHECKPOINT, CELL, TEACHER, GIVEN, START, *FOUND}


@pytest.fixture
def blobs(settings: Settings) -> BlobStore:
    return BlobStore(settings.artifacts)


def ended(
    sessions: Sessions, blobs: BlobStore, state: JobState = JobState.SUCCEEDED, *, days: float = 40, **fields: object
) -> UUID:
    """A search that ended in the state so many days ago, and has left every kind of file."""
    stored = [StoredFile(name, blobs.write(io.BytesIO(b"content"))) for name in sorted(ALL)]
    with transaction(sessions) as session:
        search = new_search(session, **fields)
        artifacts.record(session, search.id, stored)
        events.add_points(session, search.id, [Point("loss", x, 1.0) for x in range(5)])
        flow.cancel(session, search.id)
        session.execute(
            update(Job)
            .where(Job.id == search.id)
            .values(state=state, finished_at=clock(session) - timedelta(days=days))
        )
    return search.id


def kept(sessions: Sessions) -> set[UUID]:
    with transaction(sessions) as session:
        return set(session.scalars(select(Job.id)))


def test_nothing_goes_unless_the_settings_say_so(sessions: Sessions, blobs: BlobStore, settings: Settings) -> None:
    old = ended(sessions, blobs, days=10_000)
    assert set(expiry.expire(sessions, blobs, settings).values()) == {0}
    with transaction(sessions) as session:
        assert names_of(session, old) == ALL


def test_jobs_go_whole_when_they_have_had_their_time(
    sessions: Sessions, blobs: BlobStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(expiry, "_AT_ONCE", 1)
    old = [ended(sessions, blobs, state) for state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)]
    stay = {ended(sessions, blobs, days=20), ended(sessions, blobs, labels={"keep": "for the paper"})}
    with transaction(sessions) as session:
        waiting = new_search(session)
        session.execute(update(Job).where(Job.id == waiting.id).values(created_at=clock(session) - timedelta(days=99)))
    with transaction(sessions) as session:
        number = changes.horizon(session)
    settings = settings.model_copy(update={"job_days": 30.0})
    assert expiry.expire(sessions, blobs, settings)["jobs"] == 3
    assert kept(sessions) == stay | {waiting.id}
    named, left = rows_and_files(sessions, settings.artifacts)
    assert named == left
    assert len(left) == 2 * len(ALL)
    with transaction(sessions) as session:
        assert {change.job_id for change in changes.since(session, number)} == set(old)
    assert expiry.expire(sessions, blobs, settings)["jobs"] == 0


def new_timing(session: Session) -> Job:
    return timings.create(session, new_architecture(session), max_attempts=1)


@pytest.mark.parametrize("make", [new_training, new_tuning, new_timing], ids=lambda make: make.__name__)
def test_a_search_stays_as_long_as_what_is_made_of_its_networks(
    make: Callable[[Session], Job], sessions: Sessions, blobs: BlobStore
) -> None:
    with transaction(sessions) as session:
        made = make(session)
        session.execute(
            update(Job).where(Job.kind == JobKind.SEARCH).values(finished_at=clock(session) - timedelta(days=40))
        )
    assert expiry.delete_jobs(sessions, blobs, 30.0) == 0
    with transaction(sessions) as session:
        flow.cancel(session, made.id)
        session.execute(update(Job).values(finished_at=clock(session) - timedelta(days=40)))
    # What is made of it goes first, and the search by the next look at the latest.
    assert expiry.delete_jobs(sessions, blobs, 30.0) + expiry.delete_jobs(sessions, blobs, 30.0) == 2
    assert kept(sessions) == set()


def test_checks_are_the_datasets_and_stay(sessions: Sessions, blobs: BlobStore) -> None:
    check = ended(sessions, blobs)
    with transaction(sessions) as session:
        session.execute(update(Job).where(Job.id == check).values(kind=JobKind.CHECK))
    assert expiry.delete_jobs(sessions, blobs, 30.0) == expiry.drop_working_files(sessions, blobs, 30.0) == 0
    with transaction(sessions) as session:
        assert names_of(session, check) == ALL


def test_what_only_the_work_needed_goes_and_the_job_says_so(
    sessions: Sessions, blobs: BlobStore, settings: Settings
) -> None:
    done, failed = ended(sessions, blobs), ended(sessions, blobs, JobState.FAILED)
    young, labelled = ended(sessions, blobs, days=20), ended(sessions, blobs, labels={"keep": ""})
    with transaction(sessions) as session:
        taker = new_search(session)
        artifacts.share(session, done, taker.id, [TEACHER], called={TEACHER: GIVEN})
    settings = settings.model_copy(update={"artifact_days": 30.0})
    assert expiry.expire(sessions, blobs, settings) == {"jobs": 0, "jobs' working files": 2}
    with transaction(sessions) as session:
        assert names_of(session, done) == set(FOUND)
        assert names_of(session, failed) == ALL - {CHECKPOINT}
        assert names_of(session, young) == names_of(session, labelled) == ALL
        said = events.after(session, done, 0)[-1]
        [given] = session.scalars(select(Artifact).where(Artifact.job_id == taker.id))
    assert said.type == EventType.LOG
    assert said.data["message"].startswith(
        "30 days after its end its checkpoints, supernets and teacher were deleted (5 files, 35 bytes"
    )
    assert blobs.exists(given.location), "another job has it too"
    named, left = rows_and_files(sessions, settings.artifacts)
    assert named == left
    assert set(expiry.expire(sessions, blobs, settings).values()) == {0}


def test_one_that_is_resumed_or_held_meanwhile_stays(
    sessions: Sessions, blobs: BlobStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed, held = ended(sessions, blobs, JobState.FAILED), ended(sessions, blobs)
    locked = jobs.lock

    def resume_first(session: Session, job_id: UUID) -> Job:
        if job_id == resumed:
            monkeypatch.setattr(jobs, "lock", locked)
            with transaction(sessions) as other:
                flow.resume(other, resumed)
        return locked(session, job_id)

    engine = make_engine(database_url, TimeOuts(lock=0.1))
    with transaction(sessions) as session:
        locked(session, held)
        monkeypatch.setattr(jobs, "lock", resume_first)
        assert expiry.delete_jobs(make_sessions(engine), blobs, 30.0) == 0
    engine.dispose()
    assert kept(sessions) == {resumed, held}
    with transaction(sessions) as session:
        assert session.get_one(Job, resumed).state == JobState.QUEUED
        assert set(session.scalars(select(Metric.job_id))) == {resumed, held}


def test_what_was_sent_counts_no_more_when_the_last_search_drops_it(sessions: Sessions, blobs: BlobStore) -> None:
    """Weights of a teacher that was deleted since count for the key whose searches keep them."""
    half = [0.5] * 3
    with transaction(sessions) as session:
        key, _ = keys.create(session, "me")
        actor, key_id = keys.caller_of(key).actor, key.id
    weights, about = (blobs.write(io.BytesIO(b"content")) for _ in range(2))
    with transaction(sessions, actor) as session:
        of_it = {"weights": weights, "about": about}
        teacher = teachers.create(session, "sent", "resnet18.a1_in1k", num_classes=10, mean=half, std=half, **of_it)
        search = new_search(session, teacher={"from": str(teacher.id)})
        teachers.delete(session, teacher)
    with transaction(sessions) as session:
        flow.cancel(session, search.id)
        then = {"state": JobState.SUCCEEDED, "finished_at": clock(session) - timedelta(days=40)}
        session.execute(update(Job).values(**then))
        assert quotas.used(session, key_id).stored_bytes == 14
    assert expiry.drop_working_files(sessions, blobs, 30.0) == 1
    with transaction(sessions) as session:
        assert quotas.used(session, key_id).stored_bytes == 0
    assert not blobs.exists(weights.location)
