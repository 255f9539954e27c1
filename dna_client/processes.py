"""Processes of the service on this machine: started with a log each, watched, and stopped with all they have started."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dna_client.errors import ServiceFailed

_TROUBLE = re.compile(r'\b(WARNING|ERROR|CRITICAL)\b|"level": "(warning|error|critical)"')
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOWN_LINES = 12


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this installation: a folder of that name where one stands is not looked at (-P)."""
    return [sys.executable, "-P", "-m", module, *arguments]


@dataclass
class Child:
    """A process and its log. What it says of trouble can be read with :meth:`news`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    read_to: int
    started_at: int = field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self.read_to

    def check(self) -> None:
        """Raises:
        ServiceFailed: the process has ended; says how, and the last it said.
        """
        code = self.process.poll()
        if code is not None:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise ServiceFailed(f"The {self.name} {how}. {self.last_words()}")

    def last_words(self) -> str:
        lines = self._read_from(self.started_at).splitlines()[-_SHOWN_LINES:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])

    def news(self) -> list[str]:
        """Warnings and errors in the log since the last call."""
        text = self._read_from(self.read_to)
        whole_lines = text[: text.rfind("\n") + 1]
        self.read_to += len(whole_lines.encode(errors="surrogateescape"))
        return [line for line in whole_lines.splitlines() if _TROUBLE.search(line)]

    def _read_from(self, position: int) -> str:
        """Nothing where somebody has removed the log: that is no reason to end what it tells of."""
        try:
            with self.log.open("rb") as file:
                file.seek(position)
                return file.read().decode(errors="surrogateescape")
        except OSError:
            return ""


def start(
    name: str, command: Sequence[str], log: Path, environment: Mapping[str, str], *, piped: bool = False
) -> Child:
    """A process in a session of its own, so that Ctrl-C at the terminal reaches its owner only, who stops it in order.

    Args:
        log: what the process says is appended here.
        piped: keep standard output for the caller.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else file,
            stderr=file,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=_end_with_owner(),
        )
        return Child(name, process, log, file.tell())


def stop(children: Sequence[Child], *, within: float) -> None:
    """Asks all of them to end, waits, and kills what is left with everything it has started."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + within
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the block as Ctrl-C does, by a KeyboardInterrupt."""
    with _handling(signal.default_int_handler):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals are not heard inside the block."""
    with _handling(lambda *_: None):
        yield


@contextmanager
def _handling(handler: Callable[..., object]) -> Iterator[None]:
    # Under nohup a closed terminal is to be ignored.
    heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN or number != signal.SIGHUP]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _end_with_owner() -> Callable[[], None] | None:
    """On Linux a process is told to end when its owner is killed, and cannot stop it any more."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    pr_set_pdeathsig = 1
    return lambda: libc.prctl(pr_set_pdeathsig, signal.SIGTERM)
