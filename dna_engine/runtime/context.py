"""What a step runs in: its folder, its device, where its events go, and when it must stop."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from dna_engine.errors import Interrupted, InvalidSpec
from dna_engine.events import Reporter
from dna_engine.runtime.cores import available
from dna_engine.runtime.team import ALONE, Team

#: glibc's M_MMAP_MAX: no mapping of its own for a block; M_ARENA_MAX: one heap for all threads, so that each finds what
#: others left; M_TRIM_THRESHOLD: the heap's free end goes back from a GiB on.
_MALLOC = {-4: 0, -8: 1, -1: 1 << 30}


def never() -> bool:
    """The ``stop`` of a context that nobody interrupts."""
    return False


@dataclass(frozen=True)
class Context:
    """Handed to every step.

    Attributes:
        run: the run folder (see ``plans/files.py``).
        device: where tensors live.
        reporter: takes the events.
        stop: true once the process was told to stop. Long loops ask through ``Pace`` after each piece of work.
        team: the processes that do it together.
    """

    run: Path
    device: torch.device
    reporter: Reporter
    stop: Callable[[], bool] = never
    team: Team = ALONE

    def interrupt(self) -> None:
        """Leaves the step; call after the checkpoint is written.

        Raises:
            Interrupted: always.
        """
        raise Interrupted("Told to stop. What was done so far is kept; start the step again to go on from there.")


def choose_device(name: str | None = None) -> torch.device:
    """The device of that name, or the first CUDA device, or the CPU.

    Raises:
        InvalidSpec: no such device on this machine.
    """
    if name is None:
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidSpec(f"{name!r} is not a device; write cpu or cuda:0.", param="device") from error
    if device.type == "cuda":
        device = torch.device("cuda", device.index or 0)  # torch cannot make one current that has no index.
        if device.index >= torch.cuda.device_count():
            raise InvalidSpec(f"There is no {name}: this machine has {torch.cuda.device_count()} GPUs.", param="device")
    return device


def prepare(device: torch.device) -> None:
    """Process-wide settings: on the CPU results repeat to the bit, on a GPU nothing is rounded to TF32.

    What may be rounded on a GPU is trained in bfloat16; ratings and final accuracies are in full precision. Denormal numbers are flushed to zero: they carry nothing and make convolutions on a CPU many times slower.
    """
    torch.set_flush_denormal(True)
    # It counts the cores of the machine, also those of whose time a container may have nothing.
    torch.set_num_threads(min(torch.get_num_threads(), available()))
    if device.type == "cpu":
        keep_freed_memory()
        torch.use_deterministic_algorithms(True)
        # Filling every new buffer would only help to find reads of uninitialised memory; it doubles the time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        return
    torch.cuda.set_device(device)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def precision(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 autocast on a GPU, full precision on a CPU (where bfloat16 is slower)."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def keep_freed_memory() -> None:
    """Lets this process use memory again that its tensors have left, instead of giving it back and asking for new pages.

    By default glibc maps every large block anew and the kernel clears it; for maps of 224 by 224 pixels that takes a
    sixth of the time. Elsewhere nothing happens.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    for parameter, value in _MALLOC.items():
        libc.mallopt(parameter, value)


def stop_on_signals() -> Callable[[], bool]:
    """From now on SIGTERM and SIGINT ask for a stop; returns what tells whether one came.

    A second signal ends the process at once.
    """
    asked = threading.Event()

    def ask(number: int, _: FrameType | None) -> None:
        if asked.is_set():
            os._exit(128 + number)
        asked.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return asked.is_set


def exit_with_stdin() -> None:
    """Ends this process at once when standard input reaches its end.

    The supervisor holds the other end of that pipe and never closes it: the end means that it died, and another worker
    may already be doing this step.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os._exit(Interrupted.exit_code)

    threading.Thread(target=wait, name="exit-with-stdin", daemon=True).start()
