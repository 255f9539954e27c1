"""Processes that do a step together: what they say is said, what they raise is raised, and none is left.

In place of ``torchrun`` and the engine a few lines that say as much; the worker's tests run the real ones.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch

from dna_engine.errors import InvalidSpec, ProcessLost, Retold
from dna_engine.events import Log, Progress, Result
from dna_engine.plans import Kind, Step
from dna_engine.runtime import launch
from dna_engine.runtime.context import Context, never
from tests.dna_engine.runs import Recorder

STEP = Step(key="train", kind=Kind.TRAIN, network="network", devices=2)
RESULT = '{"event": "result", "artifacts": ["a"], "values": {"b": 1}}'
PROGRESS = '{"event": "progress", "done": 1, "total": 2}'
FAILURE = (
    '{"event": "failure", "error": {"code": "non_finite_loss", "message": "It diverged.", "param": "learning_rate"}}'
)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def stand_in(text: str) -> None:
        command = [sys.executable, "-S", "-c", f"import os, subprocess, sys, time\n{text}"]
        monkeypatch.setattr(launch, "_command", lambda step, context: command)

    return stand_in


def run(stop: Callable[[], bool] = never) -> tuple[Result, Recorder]:
    recorder = Recorder()
    return launch.run_together(STEP, Context(Path(), torch.device("cpu"), recorder, stop)), recorder


def test_what_they_say_is_said_and_their_result_is_the_steps(script: Callable[[str], None]) -> None:
    script(f"print('''{PROGRESS}\\n\\nnone of ours\\n{RESULT}''')")
    result, recorder = run()
    assert (result.artifacts, result.values) == (["a"], {"b": 1})
    assert recorder.events == [Progress(done=1, total=2), Log(message="none of ours")]


def test_what_the_first_raises_is_raised(script: Callable[[str], None]) -> None:
    script(f"print('''{FAILURE}\\n{FAILURE.replace('diverged', 'was lost')}'''); sys.exit(1)")
    with pytest.raises(Retold) as caught:
        run()
    told = {"code": "non_finite_loss", "message": "It diverged.", "param": "learning_rate"}
    assert caught.value.to_dict() == told
    assert (caught.value.code, caught.value.exit_code) == ("non_finite_loss", 1)


def test_one_that_ends_without_a_word_is_lost(script: Callable[[str], None]) -> None:
    script(f"print('''{PROGRESS}'''); sys.exit(1)")
    with pytest.raises(ProcessLost, match="One of the 2 processes of train"):
        run()


def test_told_to_stop_they_hear_it_on_their_standard_input(script: Callable[[str], None]) -> None:
    failure = FAILURE.replace("non_finite_loss", "interrupted")
    script(f"assert sys.stdin.readline() == 'stop\\n'; print('''{failure}''')")
    with pytest.raises(Retold) as caught:
        run(lambda: True)
    assert (caught.value.code, caught.value.exit_code) == ("interrupted", 130)


def test_they_are_let_go_of_when_their_starter_has_died(script: Callable[[str], None], tmp_path: Path) -> None:
    """What it started is in a session of its own, and holds the same two pipes."""
    script(
        f"command = [sys.executable, '-S', '-c', 'import sys; sys.stdin.read()', '{tmp_path}']\n"
        "subprocess.Popen(command, start_new_session=True)\n"
        "os._exit(1)"
    )
    with pytest.raises(ProcessLost):
        run()
    deadline = time.monotonic() + 60
    while [process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in (process.info["cmdline"] or [])]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_more_devices_than_there_are_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InvalidSpec, match="2 devices are asked for, and there are 1 here") as caught:
        launch.run_together(STEP, Context(Path(), torch.device("cuda", 0), Recorder(), never))
    assert caught.value.param == "devices"
