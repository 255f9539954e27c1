"""One of the processes that run a step together, as :mod:`dna_engine.runtime.launch` has ``torchrun`` start them.

The first says what happens, as ``python -m dna_engine step`` does; the others say nothing but why they fail.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

import torch

from dna_engine import pipeline
from dna_engine.errors import EngineError, Interrupted, InvalidSpec
from dna_engine.events import Failure, Reporter, _Event
from dna_engine.jsonfile import read_object
from dna_engine.plans import Step, files
from dna_engine.runtime.context import Context, prepare
from dna_engine.runtime.team import Together, local_rank
from dna_engine.spec import parse_job


class Quiet(Reporter):
    """Of a process that does not speak for the team."""

    def emit(self, event: _Event) -> None:
        if isinstance(event, Failure) and event.error["code"] != Interrupted.code:
            super().emit(event)


def main() -> NoReturn:
    """Runs the step. An interruption, to which all agree, is no failure of this process: the others may still be writing."""
    parser = argparse.ArgumentParser(prog="python -m dna_engine.member", description=__doc__)
    parser.add_argument("run", type=Path)  # An option torchrun would take for its own.
    parser.add_argument("step", type=Step.model_validate_json)
    parser.add_argument("device", type=torch.device)
    chosen = parser.parse_args()
    told = _listen()
    reporter, exit_code = Reporter() if local_rank() == 0 else Quiet(), 0
    try:
        reporter.emit(_run(chosen.step, chosen.run, chosen.device, reporter, told))
    except EngineError as error:
        reporter.emit(Failure(error=error.to_dict()))
        exit_code = 0 if isinstance(error, Interrupted) else error.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _run(step: Step, run: Path, first: torch.device, reporter: Reporter, told: threading.Event) -> _Event:
    """The step on this process's device: the ``local_rank``-th from ``first`` on."""
    device = first if first.type == "cpu" else torch.device("cuda", (first.index or 0) + local_rank())
    prepare(device)
    team = Together.join(device)
    spec = parse_job(read_object(run / files.SPEC, InvalidSpec))
    return pipeline.run_step(spec, step, Context(run, device, reporter, team.agreed(told.is_set), team))


def _listen() -> threading.Event:
    """Set when standard input says anything, which means to stop. Its end ends this process with those that read data for it: ``torchrun``
    gave it a group of its own, which nobody else ends when who started it is killed.
    """
    told = threading.Event()

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            told.set()
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=wait, name="end-with-stdin", daemon=True).start()
    return told


if __name__ == "__main__":
    main()
