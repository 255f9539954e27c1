"""Searches made before there were jobs go on as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from dna_engine.images.info import DIGITS
from dna_engine.plans import Kind, Phase
from dna_engine.spec import SearchSpec, resolve
from store import jobs, searches, steps, trainings
from store.columns import new_id
from store.migrate import downgrade, upgrade
from store.session import make_engine
from store.states import JobState, StepState
from tests.store.builders import finish_phase, new_worker, phases, queued

#: As they are before the revision: in mid-rating, in mid-export, and finished.
PHASES = ("rate", "export", "succeeded")


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    upgrade(empty_database_url, "0004")
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def insert(engine: Engine, table: str, **values: Any) -> None:
    columns, places = ", ".join(f'"{name}"' for name in values), ", ".join(f":{name}" for name in values)
    plain = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in values.items()}
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({places})"), plain)


def old_search(engine: Engine, phase: str, *, latency_ms: float | None = None) -> UUID:
    """The rows of a search as version 0004 left them."""
    spec = SearchSpec.model_validate({"dataset": "digits", "budget": {"latency_ms": latency_ms}})
    resolved = resolve(spec, DIGITS).model_dump(mode="json", exclude={"job", "select", "times_networks"})
    search = new_id()
    at = "export" if phase == "succeeded" else phase
    insert(
        engine,
        "searches",
        id=search,
        name=f"old, {phase}",
        state="succeeded" if phase == "succeeded" else "running",
        phase=at,
        progress=0.5,
        spec={"dataset": "digits"},
        resolved=resolved,
        labels={"team": "vision"},
        dataset="digits",
        seed=0,
        best={"loss": 0.5},
        cancel_requested=False,
        event_seq=1,
    )
    insert(engine, "events", search_id=search, seq=1, type="log", data={"message": "hello"})
    insert(engine, "metrics", search_id=search, series="teacher/loss", x=1.0, y=2.0)
    old_steps(engine, search, at, done=phase == "succeeded")
    return search


def old_steps(engine: Engine, search: UUID, phase: str, *, done: bool) -> None:
    cells = ["b1c1", "b1c2", "b2c1", "b2c2", "b3c1", "b3c2"]
    made = [("teacher", "teacher", [], None), ("distill-1", "distill", cells, None), ("rate-1", "rate", cells, None)]
    if phase == "export":
        network = new_id()
        architecture = {"id": network, "search_id": search, "role": "winner", "architecture": {"format": "test"}}
        insert(engine, "architectures", **architecture, loss=0.5, flops=1000, params=100, test_accuracy=0.9)
        training = {"id": new_id(), "architecture_id": network, "dataset": "digits", "network": "winner"}
        found = {"test_accuracy": 0.9, "values": {}, "progress": 1.0, "spec": {}, "state": "succeeded"}
        insert(engine, "trainings", **training, **found)
        made += [
            ("select", "select", [], None),
            ("train-winner", "train", [], "winner"),
            ("export-winner", "export", [], "winner"),
            ("export-pictures", "export", [], None),
        ]
    for key, kind, of, network_name in made:
        insert(
            engine,
            "steps",
            id=new_id(),
            search_id=search,
            training_id=training["id"] if kind == "train" else None,
            key=key,
            kind=kind,
            queue="cpu" if kind in ("select", "export") else "gpu",
            payload={"key": key, "kind": kind, "cells": of, "network": network_name},
            state="queued" if kind == phase and not done else "succeeded",
            attempt=0,
            max_attempts=3,
            fence=0,
            done=1,
            total=1,
            unit="steps",
            parts=[],
            values={},
            engine_seconds=1.0,
        )


def test_a_search_is_kept_with_all_it_has_and_goes_on(engine: Engine, empty_database_url: str) -> None:
    rated, exported, finished = (old_search(engine, phase) for phase in PHASES)
    upgrade(empty_database_url)
    with Session(engine) as session:
        worker = new_worker(session)
        job = jobs.lock(session, rated)
        assert (job.phase, job.labels, job.event_seq) == (Phase.RATE, {"team": "vision"}, 1)
        while job.state != JobState.SUCCEEDED:
            finish_phase(session, job, worker)
        assert {step.phase for step in steps.of_job(session, rated)} == set(phases(job))
        job = jobs.lock(session, exported)
        assert [(step.key, step.kind) for step in queued(session, job)] == [
            ("export-winner", Kind.EXPORT),
            ("pictures", Kind.PICTURES),
        ]
        (training,) = trainings.of_search(session, exported)
        assert (training.state, training.test_accuracy, training.alone) == (JobState.SUCCEEDED, 0.9, False)
        finish_phase(session, job, worker)
        assert job.state == JobState.SUCCEEDED
        assert searches.get(session, finished).best == {"loss": 0.5}


def test_latency_that_was_to_be_measured_is_measured_yet(engine: Engine, empty_database_url: str) -> None:
    rated, exported = (old_search(engine, phase, latency_ms=5.0) for phase in ("rate", "export"))
    place = {"name": "latency.json", "kind": "latency", "media_type": "application/json", "location": "1/x"}
    insert(engine, "artifacts", id=new_id(), search_id=exported, **place, size=1, sha256="0" * 64)
    upgrade(empty_database_url)
    with Session(engine) as session:
        states = {
            search: step.state
            for search in (rated, exported)
            for step in steps.of_job(session, search)
            if step.kind == Kind.LATENCY
        }
        assert states == {rated: StepState.QUEUED, exported: StepState.SUCCEEDED}
        job = jobs.lock(session, rated)
        assert [step.key for step in queued(session, job)] == ["rate-1", "latency"]
        finish_phase(session, job, new_worker(session))
        assert job.phase == Phase.SELECT


def test_going_back_leaves_searches_as_they_were(engine: Engine, empty_database_url: str) -> None:
    for phase in PHASES:
        old_search(engine, phase)
    before = rows(engine)
    upgrade(empty_database_url)
    downgrade(empty_database_url, "0004")
    assert rows(engine) == before


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """All rows of these tables; but what a training says of its step, which is read from the step afterwards."""
    with engine.connect() as connection:
        return {
            table: sorted(
                (
                    {key: value for key, value in row.items() if not (table == "trainings" and key == "spec")}
                    for row in map(dict, connection.execute(text(f"SELECT * FROM {table}")).mappings())
                ),
                key=repr,
            )
            for table in ("searches", "steps", "events", "metrics", "architectures", "trainings")
        }
