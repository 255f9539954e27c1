"""The stored files are away for a while: nothing is lost, and a step waits before it is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import func, update

from store import flow, waiting
from store.session import Sessions, transaction
from store.settings import Settings
from store.states import StepState
from store.tables import Step
from tests.store.builders import next_id
from tests.store.kept import rows_and_files
from tests.worker.conftest import Bench


@contextmanager
def files_away(settings: Settings) -> Iterator[None]:
    """Nothing can be read, written or deleted where they lay."""
    store, elsewhere = settings.data_dir / "artifacts", settings.data_dir / "elsewhere"
    store.mkdir(parents=True, exist_ok=True)
    store.rename(elsewhere)
    store.touch()
    yield
    store.unlink()
    elsewhere.rename(store)


def test_outputs_wait_for_the_store(bench: Bench, sessions: Sessions) -> None:
    with files_away(bench.slot.settings):
        step = bench.run("good")
    assert (step.state, step.attempt) == (StepState.QUEUED, 1)
    waits(bench, sessions)
    assert bench.run("good").state == StepState.SUCCEEDED
    named, found = rows_and_files(sessions, bench.slot.settings.artifacts)
    assert named == found
    assert len(named) == 2


def test_inputs_are_not_taken_for_damaged(bench: Bench, sessions: Sessions) -> None:
    bench.run("good")
    (bench.slot.settings.data_dir / "runs").rename(bench.slot.settings.data_dir / "another machine's")
    with transaction(sessions) as session:
        distill = next_id(session, "gpu")
        assert distill is not None
        claim = flow.claim(session, distill, bench.slot.worker, lease_seconds=60)
    with files_away(bench.slot.settings):
        bench.run("good", claim)
    assert bench.step.state == StepState.SUCCEEDED  # The teacher's: it is not trained again.
    waits(bench, sessions)


def waits(bench: Bench, sessions: Sessions) -> None:
    """Nobody claims it yet, and the search says so; then the time has passed."""
    with transaction(sessions) as session:
        assert next_id(session, "gpu") is None
        reason = waiting.look(session, live_within=timedelta(seconds=30)).reason(bench.job_id)
        assert reason is not None
        assert reason.startswith("what failed around its step; it is tried again at ")
        session.execute(update(Step).values(available_at=func.clock_timestamp()))
