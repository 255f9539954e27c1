"""Run folders go when nobody can need them any more."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import update

from dna_engine.images.albums import upload_folder
from store import datasets
from store.columns import new_id
from store.session import clock, transaction
from store.settings import Settings
from store.states import JobState
from store.tables import Job
from tests.worker.conftest import Bench
from tests.worker.test_datasets import stored
from worker.cleanup import remove_datasets, remove_leftovers, remove_run_folders
from worker.datasets import lay_down


def test_only_what_may_be_worked_on_again_is_kept(bench: Bench) -> None:
    data_dir = bench.slot.settings.data_dir
    remove_run_folders(bench.slot.sessions, data_dir)
    folders: dict[JobState | None, Path] = {}

    def folder(job_id: UUID) -> Path:
        path = data_dir / "runs" / str(job_id)
        (path / "cells").mkdir(parents=True)
        return path

    for state in JobState:
        job_id = Bench(bench.slot).job_id
        with transaction(bench.slot.sessions) as session:
            session.execute(update(Job).where(Job.id == job_id).values(state=state))
        folders[state] = folder(job_id)
    folders[None] = folder(new_id())
    remove_run_folders(bench.slot.sessions, data_dir)
    assert {state for state, path in folders.items() if not path.exists()} == {JobState.SUCCEEDED, None}
    with transaction(bench.slot.sessions) as session:
        session.execute(update(Job).values(finished_at=clock(session) - timedelta(days=40)))
        session.execute(update(Job).where(Job.state == JobState.CANCELLED).values(labels={"keep": "it"}))
    remove_run_folders(bench.slot.sessions, data_dir, resumable_days=30.0)
    left = {state for state, path in folders.items() if path.exists()}
    assert left == {JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED}, "what failed long ago has all in the store"


def test_what_killed_processes_left_goes(tmp_path: Path) -> None:
    for root in ("data", "datasets"):
        (tmp_path / root / ".incoming-1/unpacked").mkdir(parents=True)
        (tmp_path / root / "uploads").mkdir()
    remove_leftovers(Settings(data_dir=tmp_path / "data", datasets=tmp_path / "datasets"))
    assert [path.name for path in sorted(tmp_path.glob("*/*"))] == ["uploads", "uploads"]


def test_images_of_deleted_datasets_go(bench: Bench, tmp_path: Path) -> None:
    slot = bench.slot
    remove_datasets(slot.sessions, tmp_path)
    info, _ = stored(slot, tmp_path / "made")
    lay_down(info, slot.sessions, slot.blobs, tmp_path)
    remove_datasets(slot.sessions, tmp_path)
    assert (tmp_path / "made").is_dir()
    images = upload_folder(tmp_path, info.location)
    assert images.is_dir()
    with transaction(slot.sessions) as session:
        (location,) = datasets.delete(session, datasets.find(session, info.name))
    slot.blobs.delete(location)
    remove_datasets(slot.sessions, tmp_path)
    assert not images.exists()
    assert not list(tmp_path.glob(".removed*"))


def test_what_a_killed_worker_left_half_done_goes_after_a_day(bench: Bench) -> None:
    settings = bench.slot.settings
    run, foreign = settings.data_dir / "runs" / str(bench.job_id), settings.data_dir / "runs" / "backup"
    places = {
        run / ".spec.json.7": True,
        run / "cells/.b1c1.safetensors.7.part": True,
        run / "cells/b1c1.safetensors": False,
        foreign / ".profile": False,
    }
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("half")
    remove_leftovers(settings)
    assert all(place.exists() for place in places)
    for path in places:
        os.utime(path, (0, 0))
    remove_leftovers(settings)
    assert {place: not place.exists() for place in places} == places
