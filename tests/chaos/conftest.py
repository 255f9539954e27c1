"""Searches put straight into the database, for machines to fight over; leases are short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from dna_engine.images.info import DIGITS
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve
from store import searches, steps
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.settings import Settings
from store.states import StepState
from store.tables import Search, Step
from tests.e2e.service import TINY


@pytest.fixture
def impatient(settings: Settings) -> Settings:
    """A lost worker is noticed after two seconds, a lost message after one. Looking ten times a second would take a tenth of a core for each node."""
    short = {
        "lease_seconds": 2.0,
        "lease_renew_seconds": 0.5,
        "rewake_seconds": 1.0,
        "reap_seconds": 0.5,
        "poll_seconds": 0.5,
    }
    return Settings.model_validate(settings.model_dump() | short)


class Book:
    """What the database says."""

    def __init__(self, sessions: Sessions, blobs: BlobStore) -> None:
        self.sessions = sessions
        self.blobs = blobs

    def add(self, *, teacher_epochs: int = 1, **fields: Any) -> UUID:
        """A new search: the tiny one, with these fields changed, a teacher whose checkpoints are small, and no finalists behind its ratings."""
        teacher = {"model": "lcnet_050", "epochs": teacher_epochs}
        spec = SearchSpec.model_validate(TINY | {"teacher": teacher, "select": {"finalists": 0}} | fields)
        with transaction(self.sessions) as session:
            return searches.create(session, spec, resolve(spec, DIGITS), max_attempts=3).id

    def search(self, search_id: UUID) -> Search:
        with transaction(self.sessions) as session:
            return searches.get(session, search_id)

    def step(self, search_id: UUID, key: str) -> Step | None:
        """The step, if it exists yet."""
        with transaction(self.sessions) as session:
            return next((step for step in steps.of_job(session, search_id) if step.key == key), None)

    def state(self, search_id: UUID, key: str) -> StepState | None:
        step = self.step(search_id, key)
        return None if step is None else step.state

    def spec(self, search_id: UUID) -> ResolvedSpec:
        return ResolvedSpec.model_validate(self.search(search_id).resolved)

    def reached(self, search_id: UUID, key: str, done: int) -> Callable[[], bool]:
        """Whether the step has done that much."""

        def holds() -> bool:
            step = self.step(search_id, key)
            return step is not None and step.done >= done

        return holds


@pytest.fixture
def book(sessions: Sessions, impatient: Settings) -> Book:
    return Book(sessions, BlobStore(impatient.artifacts))
