"""Checkpoints are written in time, and take no more than their share of it where a minute allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dna_engine.errors import Interrupted
from dna_engine.events import Checkpoint
from dna_engine.runtime.pace import CHECKPOINT_EVERY, LONGEST, SHARE, Pace
from tests.dna_engine.runs import Recorder, context


class Clock:
    """Time goes on only where a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def paced(run: Path, state: Callable[[], dict[str, Any]], *, stop: bool = False) -> tuple[Pace, Recorder]:
    where, recorder = context(run, stop=lambda: stop)
    return Pace(where, run / "checkpoints/x.safetensors", state), recorder


def test_one_is_written_when_it_is_time_and_none_after_the_last_piece(tmp_path: Path, clock: Clock) -> None:
    made, recorder = paced(tmp_path, dict)
    for now, written in ((CHECKPOINT_EVERY, 0), (CHECKPOINT_EVERY + 1, 1), (2 * CHECKPOINT_EVERY, 1)):
        clock.now = now
        made.keep()
        assert len(recorder.of(Checkpoint)) == written
    clock.now = 10 * CHECKPOINT_EVERY
    made.keep(last=True)
    assert [event.name for event in recorder.of(Checkpoint)] == ["checkpoints/x.safetensors"]
    made.keep()
    assert len(recorder.of(Checkpoint)) == 2


def test_a_minute_is_lost_at_most(tmp_path: Path, clock: Clock) -> None:
    def slow() -> dict[str, Any]:
        clock.now += 10.0
        return {}

    made, recorder = paced(tmp_path, slow)
    made.save()
    clock.now += LONGEST
    made.keep()
    assert len(recorder.of(Checkpoint)) == 1
    clock.now += 1
    made.keep()
    assert len(recorder.of(Checkpoint)) == 2


def test_those_that_take_long_come_less_often(tmp_path: Path, clock: Clock) -> None:
    def slow() -> dict[str, Any]:
        clock.now += 2.0
        return {}

    made, recorder = paced(tmp_path, slow)
    made.save()
    clock.now = 2.0 + 2.0 / SHARE
    made.keep()
    assert len(recorder.of(Checkpoint)) == 1
    clock.now += 1
    made.keep()
    assert len(recorder.of(Checkpoint)) == 2


def test_who_is_told_to_stop_leaves_after_a_checkpoint(tmp_path: Path, clock: Clock) -> None:
    made, recorder = paced(tmp_path, dict, stop=True)
    with pytest.raises(Interrupted):
        made.keep(last=True)
    assert len(recorder.of(Checkpoint)) == 1
