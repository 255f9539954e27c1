"""A disk is full while outputs are stored: nothing is left of the attempt, and the next one waits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from store import waiting
from store.columns import new_id
from store.session import Sessions, clock, transaction
from store.settings import Settings
from store.states import JobState, StepState
from store.tables import OutboxMessage, Step
from tests.store.builders import next_id
from tests.store.kept import rows_and_files
from tests.worker.conftest import Bench
from worker.failures import Problem

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")


@pytest.fixture
def no_room_for_the_second(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second file goes to the device that is always full."""
    ids: list[UUID] = []

    def next_id() -> UUID:
        ids.append(new_id())
        if len(ids) % 2 == 0:
            place = settings.data_dir / "artifacts" / ids[-1].hex[-2:] / f"{ids[-1]}.part"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(FULL)
        return ids[-1]

    monkeypatch.setattr("store.files.new_id", next_id)


@pytest.mark.usefixtures("no_room_for_the_second")
def test_nothing_is_left_and_the_step_waits(bench: Bench, sessions: Sessions) -> None:
    step = bench.run("good")
    assert (step.state, step.attempt) == (StepState.QUEUED, 1)
    assert step.error is not None
    assert step.error["code"] == "disk_full"
    assert step.error["message"].startswith("The disk of the artifacts (DNA_ARTIFACTS_URL) is full: 30 bytes needed, ")
    assert rows_and_files(sessions, bench.slot.settings.artifacts) == (set(), set())
    with transaction(sessions) as session:
        assert next_id(session, "gpu") is None
        reason = waiting.look(session, live_within=timedelta(seconds=30)).reason(bench.job_id)
        assert reason is not None
        assert reason.startswith("room on a disk")
        wake = session.query(OutboxMessage).order_by(OutboxMessage.id.desc()).first()
        assert wake is not None
        assert wake.available_at == step.available_at > clock(session) + timedelta(seconds=30)
        session.execute(update(Step).values(available_at=clock(session)))
    with transaction(sessions) as session:
        assert next_id(session, "gpu") == step.id
    assert bench.run("good").state == StepState.FAILED
    assert bench.job.state == JobState.FAILED
    assert rows_and_files(sessions, bench.slot.settings.artifacts) == (set(), set())


def test_the_wait_grows() -> None:
    full, crash = ({"code": code, "message": "", "param": None} for code in ("disk_full", "engine_crashed"))
    waits = [Problem(full, retry=True).wait(attempt, 60.0).total_seconds() for attempt in (1, 2, 3)]
    assert waits == [60.0, 240.0, 960.0]
    assert Problem(crash, retry=True).wait(2, 60.0) == timedelta(0)
