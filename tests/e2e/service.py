"""The real service for a test: a machine's worker as its own processes, and the smallest real search."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from store.settings import Settings
from tests.dna_engine.runs import TINY_SPACE

#: Through in half a minute on two cores. Finds nothing remarkable.
TINY: dict[str, Any] = {
    "dataset": "digits",
    "space": TINY_SPACE,
    "teacher": {"epochs": 1},
    "training": {"epochs": 1},
    "select": {"finalists": 2, "epochs": 0.5},
    "retrain": {"epochs": 2, "batch_size": 128},
}


class Machine:
    """``python -m worker`` with what it started."""

    def __init__(self, process: psutil.Popen) -> None:
        self.process = process

    @property
    def nodes(self) -> list[psutil.Process]:
        return [child for child in children(self.process) if alive(child)]

    @property
    def engines(self) -> list[psutil.Process]:
        """One for each node, at work or ready."""
        return [engine for node in self.nodes for engine in engines_of(node)]

    def kill(self) -> list[psutil.Process]:
        """SIGKILL to the worker's processes, all at once; returns the engines they leave behind."""
        engines = self.engines
        for process in (self.process, *self.nodes):
            with suppress(psutil.NoSuchProcess):  # It has ended by itself.
                process.kill()
        return engines

    def leave(self) -> None:
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def machine(
    settings: Settings, *, queues: str = "gpu,cpu", at: Sequence[str] = (), **environment: str
) -> Iterator[Machine]:
    """A machine with a CPU inside the block; ``environment`` goes to the worker and its engines, which ``at`` starts elsewhere."""
    given = settings.model_dump(exclude_none=True, exclude_unset=True)
    variables = {f"DNA_{name.upper()}": str(value) for name, value in given.items()}
    environment = {**os.environ, **variables, "DNA_DEVICE": "cpu", **environment}
    process = psutil.Popen(
        [*at, sys.executable, "-m", "worker", "--queues", queues], env=environment, stdin=subprocess.DEVNULL
    )
    started = Machine(process)
    try:
        yield started
    finally:
        if process.poll() is None:
            started.leave()
        assert process.wait(60) in (0, -signal.SIGKILL)  # Ten seconds, on a machine that has nothing else to do.


def children(process: psutil.Process) -> list[psutil.Process]:
    """None of a process that has ended meanwhile."""
    try:
        return list(process.children())
    except psutil.NoSuchProcess:
        return []


def engines_of(node: psutil.Process) -> list[psutil.Process]:
    return [child for child in children(node) if _is_engine(child)]


def _is_engine(process: psutil.Process) -> bool:
    try:
        return "dna_engine" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie only waits to be looked after by its parent."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(holds: Callable[[], bool], *, seconds: float = 600.0) -> None:
    """Waits until something holds; what waits shares the cores with it, so that it does not look all the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
