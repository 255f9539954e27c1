"""A search through its phases: finished, failed, cancelled, resumed, taken over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dna_engine.events import Log, Metric, Progress
from dna_engine.steps import Kind
from store import architectures, claims, events, flow, searches, steps, trainings
from store.errors import IllegalTransition, LeaseLost
from store.states import EventType, Role, SearchState, StepState, TrainingState
from store.tables import OutboxMessage, Search, Step, Training
from tests.store.builders import finish_phase, new_search, new_worker, queued, succeed, take, two_groups


def test_every_phase_follows_the_one_before(session: Session) -> None:
    search, worker = new_search(session), new_worker(session)
    seen = []
    for _ in Kind:
        seen.append((search.phase, len(queued(session, search))))
        before = search.progress
        finish_phase(session, search, worker)
        assert search.progress > before
    assert seen == [
        (Kind.TEACHER, 1),
        (Kind.DISTILL, 2),
        (Kind.RATE, 2),
        (Kind.SELECT, 1),
        (Kind.TRAIN, 2),
        (Kind.EXPORT, 2),
    ]
    assert (search.state, search.progress, search.eta_seconds) == (SearchState.SUCCEEDED, 1.0, None)
    assert search.started_at is not None
    assert search.finished_at is not None
