"""Runs a step in several processes, one for each of its devices, by ``torchrun``; what they say comes out here.

They live and die with this process: they hold the end of a pipe as their standard input whose other end is here alone. A line in it tells
them to stop; its end, that nobody waits for them any more.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from pydantic import ValidationError

from dna_engine.errors import InvalidSpec, ProcessLost, Retold
from dna_engine.events import Event, Failure, Log, Result, parse_event
from dna_engine.plans import Step
from dna_engine.runtime.context import Context
from dna_engine.runtime.cores import available

#: How often it is looked whether the processes are to stop, in seconds.
LOOK = 0.1


def run_together(step: Step, context: Context) -> Result:
    """Runs the step of the run folder's spec on ``step.devices`` devices from that of the context on: processes where that is the CPU.

    Raises:
        InvalidSpec: this machine has fewer devices.
        Retold: what a process raised.
        ProcessLost: one ended otherwise. The step goes on from its checkpoint when it is started again.
    """
    _check_devices(context.device, step.devices)
    result, failure = None, None
    with _started(step, context) as said:
        for event in said:
            match event:
                case Result():
                    result = event
                case Failure():
                    failure = failure or event
                case _:
                    context.reporter.emit(event)
    if failure is not None:
        raise Retold(failure.error)
    if result is None:
        raise ProcessLost(
            f"One of the {step.devices} processes of {step.key} ended before the others, which were then ended too."
        )
    return result


def _check_devices(device: torch.device, wanted: int) -> None:
    there = torch.cuda.device_count() - (device.index or 0) if device.type == "cuda" else wanted
    if there < wanted:
        raise InvalidSpec(
            f"{wanted} devices are asked for, and there are {there} here. Ask for devices {there}, or start it where there are more.",
            param="devices",
        )


@contextmanager
def _started(step: Step, context: Context) -> Iterator[Iterator[Event]]:
    """The processes, as the events that they say; none is left when the block ends."""
    with _interrupts_ignored():
        process = subprocess.Popen(
            _command(step, context),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_environment(step.devices),
        )
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(process, context, over), name="together", daemon=True)
    watch.start()
    assert process.stdout is not None
    try:
        yield (_event(line) for line in process.stdout if line.strip())
    finally:
        over.set()
        watch.join()
        process.kill()
        process.wait()
        process.stdout.close()
        shutil.rmtree(_logs(context), ignore_errors=True)


def _command(step: Step, context: Context) -> list[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    torchrun += ["--nproc-per-node", str(step.devices), "--signals-to-handle", "SIGTERM"]
    torchrun += ["--log-dir", str(_logs(context))]
    return [*torchrun, "-m", "dna_engine.member", str(context.run), step.model_dump_json(), str(context.device)]


def _logs(context: Context) -> Path:
    """A folder that ``torchrun`` makes even for nothing; here it goes with the run folder at the latest."""
    return context.run / ".torchrun"


def _environment(devices: int) -> dict[str, str]:
    """They share the cores, and find each other by this machine's own address, whatever it is called."""
    here = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    return here | {"OMP_NUM_THREADS": str(max(1, available() // devices))} | os.environ


def _watch(process: subprocess.Popen[str], context: Context, over: threading.Event) -> None:
    """Tells the processes to stop once this one was told so, and lets go of them when their starter or this step has ended."""
    assert process.stdin is not None
    told = False
    with suppress(BrokenPipeError), process.stdin:
        while not over.wait(LOOK) and process.poll() is None:
            if not told and context.stop():
                told = True
                process.stdin.write("stop\n")
                process.stdin.flush()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """What is started meanwhile does not hear a terminal's Ctrl-C, which this process hears for it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _event(line: str) -> Event:
    """A line that is no event was printed by some library: people may want to see it."""
    try:
        return parse_event(line)
    except ValidationError:
        return Log(message=line.strip()[:2000])
