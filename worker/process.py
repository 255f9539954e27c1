"""One run of the engine: a process in a group of its own, what it says, and how it ends."""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO

from pydantic import ValidationError

from dna_engine.events import Event, Log, parse_event

logger = logging.getLogger("dna.engine")

#: Lines of standard error that are kept for the message of an error.
TAIL_LINES = 30


class EngineProcess:
    """Started when made; gone with its whole group when the ``with`` block ends.

    The engine holds the other end of this process's pipe as its standard input and leaves when it closes, so a worker that is
    killed takes its engine along.
    """

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
        self._started = time.monotonic()
        self._ended: float | None = None
        self._stop_by: float | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._said: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._threads = [
            threading.Thread(target=self._listen, args=(self._process.stdout,), name="engine-events", daemon=True),
            threading.Thread(target=self._log, args=(self._process.stderr,), name="engine-log", daemon=True),
            threading.Thread(target=self._bury, name="engine-end", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def asked_to_stop(self) -> bool:
        return self._stop_by is not None

    @property
    def exit_code(self) -> int:
        """Negative: the number of the signal that ended it. Known once :meth:`events` has ended."""
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def seconds(self) -> float:
        """How long it has run so far, or ran."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def tail(self) -> str:
        """The last lines of standard error."""
        return "\n".join(self._tail)

    def events(self, *, tick: float) -> Iterator[Event | None]:
        """What the engine says; None after each ``tick`` seconds of silence. Ends when the engine has."""
        while True:
            try:
                event = self._said.get(timeout=tick)
            except queue.Empty:
                yield None
                continue
            if event is None:
                break
            yield event
        for thread in self._threads:
            thread.join()

    def stop(self, *, grace: float) -> None:
        """Asks the engine to write a checkpoint and leave; called again after ``grace`` seconds, kills it.

        Only the engine itself is told: processes that read its data must live until its checkpoint is written.
        """
        now = time.monotonic()
        if self._ended is not None:
            return
        if self._stop_by is None:
            self._stop_by = now + grace
            # Not Popen.send_signal, which may reap the process under the eyes of the thread that waits for it.
            os.kill(self._process.pid, signal.SIGTERM)
        elif now > self._stop_by:
            self.kill()

    def kill(self) -> None:
        """Ends the group at once."""
        if self._ended is None:
            _kill_group(self._process.pid)

    def _listen(self, pipe: IO[str]) -> None:
        for line in pipe:
            if text := line.strip():
                self._said.put(_event(text))
        self._said.put(None)

    def _log(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._tail.append(line.rstrip())
            logger.info("%s", line.rstrip())

    def _bury(self) -> None:
        """Ends what the engine leaves running, so that the device is free and its pipes close.

        The engine is looked at before it is reaped: until then nobody else can have the number of its group.
        """
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        _kill_group(self._process.pid)
        self._ended = time.monotonic()
        self._process.wait()


def _event(line: str) -> Event:
    """A line that is no event was printed by some library: people may want to see it."""
    try:
        return parse_event(line)
    except ValidationError:
        return Log(message=line[:2000])


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        logger.debug("The group %d is gone already.", leader)
