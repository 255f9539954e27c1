"""The engine's process: what it says, how it ends, and that nothing of it stays."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dna_engine.events import Event, Log, Metric, Progress, Result
from dna_engine.plans import Kind, Order, Step
from worker.process import EngineProcess

ACTOR = Path(__file__).with_name("actor.py")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], EngineProcess]]:
    """Starts an actor in a role and gives it a step."""
    engines = []

    def start(role: str) -> EngineProcess:
        engine = EngineProcess([sys.executable, str(ACTOR), role])
        engines.append(engine)
        engine.begin(order(tmp_path))
        return engine

    yield start
    for engine in engines:
        engine.close()


def order(run: Path) -> Order:
    return Order(run=str(run), step=Step(key="teacher", kind=Kind.TEACHER))


def said(engine: EngineProcess) -> list[Event]:
    return [event for event in engine.events(tick=1.0) if event is not None]


def gone(process: psutil.Process) -> bool:
    """Whether it ended, or does soon. One that its parent has not looked after yet is a zombie."""
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_events_arrive_in_order_and_other_lines_as_log(started: Callable[[str], EngineProcess]) -> None:
    engine = started("good")
    log, progress, first, second, result = said(engine)
    assert log == Log(message="a library prints this")
    assert progress == Progress(done=1, total=2, unit="epochs", eta_seconds=0.5, parts=["teacher"])
    assert (first, second) == (Metric(series="teacher/loss", x=1, y=0.25), Metric(series="teacher/loss", x=2, y=0.125))
    assert isinstance(result, Result)
    assert engine.seconds > 0


def test_after_a_result_it_takes_another_step(started: Callable[[str], EngineProcess], tmp_path: Path) -> None:
    engine = started("good")
    assert len(said(engine)) == 5
    assert engine.reusable
    worked = engine.seconds
    time.sleep(0.05)
    assert engine.seconds == worked
    engine.begin(order(tmp_path))
    assert len(said(engine)) == 5


def test_the_last_words_are_kept(started: Callable[[str], EngineProcess]) -> None:
    engine = started("crash")
    assert said(engine) == []
    assert engine.exit_code == 1
    assert engine.tail.endswith("RuntimeError: something odd")
    assert not engine.reusable


def test_one_that_died_while_it_waited_is_noticed(started: Callable[[str], EngineProcess], tmp_path: Path) -> None:
    engine = started("good")
    said(engine)
    psutil.Process(engine.pid).kill()
    assert gone(psutil.Process(engine.pid))
    engine.begin(order(tmp_path))
    assert said(engine) == []
    assert engine.exit_code == -9


def test_told_to_stop_it_writes_a_checkpoint(started: Callable[[str], EngineProcess], tmp_path: Path) -> None:
    engine = started("slow")
    for event in engine.events(tick=0.1):
        if isinstance(event, Progress) and event.done >= 2:
            engine.stop(grace=5.0)
    assert engine.exit_code == 130
    assert 2 <= int((tmp_path / "checkpoints/teacher.safetensors").read_text()) < 99  # Of 100.


def test_what_does_not_stop_is_killed_with_its_children(started: Callable[[str], EngineProcess]) -> None:
    engine = started("deaf")
    family: list[psutil.Process] = []
    for event in engine.events(tick=0.1):
        if isinstance(event, Progress):
            family = [psutil.Process(engine.pid), *psutil.Process(engine.pid).children()]
            begun = time.monotonic()
        if family:
            engine.stop(grace=60.0)  # The shortest counts.
            engine.stop(grace=0.5)
    assert len(family) == 2
    assert time.monotonic() - begun >= 0.5
    assert engine.exit_code == -9
    assert all(gone(process) for process in family)


def test_children_that_outlive_the_engine_are_ended(started: Callable[[str], EngineProcess]) -> None:
    """They hold its standard output, and perhaps the device."""
    engine = started("parent")
    [child] = said(engine)
    assert isinstance(child, Log)
    assert not psutil.pid_exists(int(child.message)) or gone(psutil.Process(int(child.message)))


def test_closing_ends_it(started: Callable[[str], EngineProcess]) -> None:
    engine = started("slow")
    engine.close()
    assert engine.exit_code == -9


def test_a_killed_supervisor_takes_its_engine_along(tmp_path: Path) -> None:
    code = (
        "import sys, time; from worker.process import EngineProcess\n"
        f"engine = EngineProcess([sys.executable, {str(ACTOR)!r}, 'slow']); print(engine.pid, flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    engine = psutil.Process(int(supervisor.stdout.readline()))
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert gone(engine)
