"""Which process takes the next step: the same one while all goes well, a fresh one otherwise."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.worker.test_process import ACTOR, order, said
from worker.engines import Engines


def engines(role: str) -> Engines:
    return Engines([sys.executable, str(ACTOR), role], {})


def work(kept: Engines, run: Path) -> int:
    """One step; returns the number of the process that did it."""
    with kept.borrowed() as engine:
        engine.begin(order(run))
        said(engine)
    return engine.pid


def test_one_process_does_step_after_step(tmp_path: Path) -> None:
    with engines("good") as kept:
        first = work(kept, tmp_path)
        assert work(kept, tmp_path) == first
    assert not psutil.pid_exists(first)


def test_after_a_failure_there_is_a_fresh_one(tmp_path: Path) -> None:
    with engines("crash") as kept:
        assert work(kept, tmp_path) != work(kept, tmp_path)


def test_one_left_in_the_middle_of_a_step_is_ended(tmp_path: Path) -> None:
    def leave(kept: Engines) -> None:
        with kept.borrowed() as engine:
            engine.begin(order(tmp_path))
            pids.append(engine.pid)
            raise KeyError

    pids: list[int] = []
    with engines("slow") as kept:
        with pytest.raises(KeyError):
            leave(kept)
        assert not psutil.pid_exists(pids[0])
        with kept.borrowed() as another:
            assert another.pid != pids[0]


def test_one_that_died_while_it_waited_is_replaced(tmp_path: Path) -> None:
    with engines("good") as kept:
        first = work(kept, tmp_path)
        psutil.Process(first).kill()
        time.sleep(0.2)
        assert work(kept, tmp_path) != first


def test_an_idle_one_gives_the_device_back(tmp_path: Path) -> None:
    with engines("good") as kept:
        first = work(kept, tmp_path)
        kept.refresh(after=60.0)
        assert work(kept, tmp_path) == first
        kept.refresh(after=0.0)
        second = work(kept, tmp_path)
        assert second != first
