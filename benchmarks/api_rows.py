"""Rows of a service that has been used: searches that are over, some that wait, one with everything that a search can have."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from dna_engine.accuracy import Answers, judge
from dna_engine.by_class import Confusion
from dna_engine.images.info import DIGITS
from dna_engine.plans import SPREAD_KINDS, Kind, Phase, plan_of
from dna_engine.plans import Step as PlannedStep
from dna_engine.space.architecture import published
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve
from store import events, searches
from store.actors import signature
from store.columns import new_id
from store.embedded import Servers, embedded_servers
from store.events import NewEvent
from store.migrate import upgrade
from store.session import Sessions, clock, make_engine, make_sessions, transaction
from store.states import EventType, JobState, Role, StepState
from store.tables import Architecture, Job, Search, Step, Training

T = TypeVar("T")

#: Searches that wait for a worker; of the others all but one were cancelled.
WAITING = 10

_COSTS = {"flops": 4_200_000, "params": 310_000}
_CLASSES = [str(digit) for digit in range(10)]
_RIGHT = Confusion(classes=_CLASSES, matrix=[[35 * (row == column) for column in range(10)] for row in range(10)])


@contextmanager
def filled(fill: Callable[[Session], T]) -> Iterator[tuple[Path, Servers, Sessions, T]]:
    """A folder, servers in it, and a database with such rows, as settled as one that has been used for long; and what ``fill`` returned."""
    with (
        tempfile.TemporaryDirectory(prefix="dna-bench-", ignore_cleanup_errors=True) as folder,
        embedded_servers(Path(folder)) as servers,
    ):
        upgrade(servers.database_url)
        engine = make_engine(servers.database_url, pool_size=2)
        sessions = make_sessions(engine)
        with transaction(sessions) as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            made = fill(session)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
        yield Path(folder), servers, sessions, made
        engine.dispose()


def populate(session: Session, count: int) -> UUID:
    """So many searches, oldest first: finished, cancelled and waiting. Returns the id of the one that is finished."""
    spec = SearchSpec.model_validate(
        {"dataset": DIGITS.name, "labels": {"team": "vision"}, "select": {"finalists": 16}}
    )
    resolved = resolve(spec, DIGITS)
    made = [searches.create(session, spec, resolved, max_attempts=3) for _ in range(count)]
    _finish(session, made[0], resolved)
    for search in made[1 : count - WAITING]:
        search.state, search.finished_at = JobState.CANCELLED, clock(session)
        for step in session.query(Step).where(Step.job_id == search.id):
            step.state = StepState.CANCELLED
    session.flush()
    return made[0].id


def tell(session: Session, job_id: UUID, number: int) -> None:
    """Appends an event to a job, as a step that advances does."""
    job = session.get_one(Job, job_id, with_for_update=True)
    data = {"step": "distill-1", "done": number, "total": 1000, "progress": 0.5}
    events.append(session, job, [NewEvent(EventType.PROGRESS, data)])


def _finish(session: Session, search: Search, resolved: ResolvedSpec) -> None:
    plan, now = plan_of(resolved), clock(session)
    session.query(Step).where(Step.job_id == search.id).delete()
    steps = [_done(search, phase, step, now) for phase in plan.phases for step in _apart(plan.steps(phase))]
    winner, control = (_network(session, search.id, role) for role in (Role.WINNER, Role.CONTROL))
    session.add_all([*steps, winner, control, *(_network(session, search.id, Role.SELECTED) for _ in range(4))])
    session.flush()
    for network in (winner, control):
        training = Training(
            project_id=search.project_id,
            id=new_id(),
            job_id=search.id,
            architecture_id=network.id,
            network=network.role.value,
            test_accuracy=0.99,
            values=_trained(),
        )
        session.add(training)
        session.flush()
        next(step for step in steps if step.key == f"train-{network.role.value}").training_id = training.id
    search.state, search.phase, search.progress = JobState.SUCCEEDED, Phase.EXPORT, 1.0
    search.started_at = search.finished_at = now
    search.control_accuracy = 0.99
    search.best = {"architecture_id": str(winner.id), "loss": 0.5, "test_accuracy": 0.99, "test": _test(), **_COSTS}


def _apart(steps: list[PlannedStep]) -> list[PlannedStep]:
    """Each cell in a step of its own, as over many workers."""
    return [
        step.model_copy(update={"key": f"{step.kind}-{place}", "cells": [cell]}) if cell else step
        for step in steps
        for place, cell in enumerate(step.cells if step.kind in SPREAD_KINDS else [""], start=1)
    ]


def _done(job: Search, phase: Phase, step: PlannedStep, now: Any) -> Step:
    return Step(
        id=new_id(),
        job_id=job.id,
        key=step.key,
        kind=step.kind,
        phase=phase,
        queue=step.queue,
        share_id=job.share_id,
        rank=job.rank,
        payload=step.model_dump(mode="json"),
        state=StepState.SUCCEEDED,
        attempt=1,
        max_attempts=3,
        done=1000,
        total=1000,
        engine_seconds=12.5,
        device="cpu",
        values=_trained() if step.kind is Kind.TRAIN else {"best": dict.fromkeys(step.cells, 0.25)},
        started_at=now,
        finished_at=now,
    )


def _network(session: Session, search_id: UUID, role: Role) -> Architecture:
    described = published("dna-a", input_size=32).to_json()
    tested = 0.99 if role is not Role.SELECTED else None
    return Architecture(
        **signature(session),
        id=new_id(),
        search_id=search_id,
        role=role,
        architecture=described,
        loss=0.5,
        test_accuracy=tested,
        **_COSTS,
    )


def _test() -> dict[str, Any]:
    answers = Answers(images=[35] * 10, right=[35] * 10, given=[35] * 10)
    return judge(answers, log_loss=0.1, calibration_error=0.025).model_dump(mode="json")


def _trained() -> dict[str, Any]:
    return {
        "test_accuracy": 0.99,
        "test_loss": 0.1,
        "test": _test(),
        "by_class": _RIGHT.by_class().model_dump(mode="json"),
        "seconds": 20.0,
        "images_per_second": 900.0,
        "predicted": _COSTS,
        "counted": _COSTS,
        "recipe": {"name": "quick", "epochs": 30},
        "dataset": DIGITS.name,
        "seed": 0,
    }
