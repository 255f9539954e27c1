"""The engine's process: what it says, how it ends, and that nothing of it stays."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dna_engine.events import Event, Log, Metric, Progress, Result
from worker.process import EngineProcess

ACTOR = Path(__file__).with_name("actor.py")


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], list[str]]:
    plan = tmp_path / "step.json"
    plan.write_text(json.dumps({"key": "teacher", "kind": "teacher"}))
    return lambda role: [sys.executable, str(ACTOR), role, str(plan), str(tmp_path)]


def said(engine: EngineProcess) -> list[Event]:
    return [event for event in engine.events(tick=1.0) if event is not None]


def gone(process: psutil.Process) -> bool:
    """Whether it ended, or does within two seconds. One that its parent has not looked after yet is a zombie."""
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_events_arrive_in_order_and_other_lines_as_log(command: Callable[[str], list[str]]) -> None:
    with EngineProcess(command("good")) as engine:
        log, progress, first, second, result = said(engine)
    assert log == Log(message="a library prints this")
    assert progress == Progress(done=1, total=2, unit="epochs", eta_seconds=0.5, parts=["teacher"])
    assert (first, second) == (Metric(series="teacher/loss", x=1, y=0.25), Metric(series="teacher/loss", x=2, y=0.125))
    assert isinstance(result, Result)
    assert engine.exit_code == 0
    assert 0 < engine.seconds < 10


def test_the_last_words_are_kept(command: Callable[[str], list[str]]) -> None:
    with EngineProcess(command("crash")) as engine:
        assert said(engine) == []
    assert engine.exit_code == 1
    assert engine.tail.endswith("RuntimeError: something odd")


def test_told_to_stop_it_writes_a_checkpoint(command: Callable[[str], list[str]], tmp_path: Path) -> None:
    with EngineProcess(command("slow")) as engine:
        for event in engine.events(tick=0.1):
            if isinstance(event, Progress) and event.done >= 2:
                engine.stop(grace=5.0)
    assert engine.exit_code == 130
    assert int((tmp_path / "checkpoints/teacher.safetensors").read_text()) in (2, 3, 4)


def test_what_does_not_stop_is_killed_with_its_children(command: Callable[[str], list[str]]) -> None:
    with EngineProcess(command("deaf")) as engine:
        begun = time.monotonic()
        for event in engine.events(tick=0.1):
            if isinstance(event, Progress):
                family = [psutil.Process(engine.pid), *psutil.Process(engine.pid).children()]
            engine.stop(grace=0.5)
    assert len(family) == 2
    assert 0.5 <= time.monotonic() - begun < 3.0
    assert engine.exit_code == -9
    assert all(gone(process) for process in family)


def test_children_that_outlive_the_engine_are_ended(command: Callable[[str], list[str]]) -> None:
    """They hold its standard output, and perhaps the device."""
    with EngineProcess(command("parent")) as engine:
        child, result = said(engine)
    assert isinstance(child, Log)
    assert isinstance(result, Result)
    assert engine.seconds < 5.0
    assert not psutil.pid_exists(int(child.message)) or gone(psutil.Process(int(child.message)))


def test_leaving_the_block_ends_the_engine(command: Callable[[str], list[str]]) -> None:
    with pytest.raises(KeyError), EngineProcess(command("slow")) as engine:
        raise KeyError
    assert engine.exit_code == -9


def test_a_killed_supervisor_takes_its_engine_along(command: Callable[[str], list[str]]) -> None:
    code = (
        "import sys; from worker.process import EngineProcess\n"
        f"engine = EngineProcess({command('slow')!r}); print(engine.pid, flush=True)\n"
        "for event in engine.events(tick=1.0): pass"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    engine = psutil.Process(int(supervisor.stdout.readline()))
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert gone(engine)
