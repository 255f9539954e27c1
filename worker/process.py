"""A process of the engine, in a group of its own: it is given steps, says what it does, and ends alone or is ended."""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from pydantic import ValidationError

from dna_engine.events import Event, Log, Result, parse_event
from dna_engine.plans import Order
from store.logs import of_here

logger = logging.getLogger("dna.engine")

#: Lines of standard error that are kept for the message of an error.
TAIL_LINES = 30


class EngineProcess:
    """Started when made; gone with its whole group when closed.

    The engine holds the other end of this process's pipe as its standard input and leaves when it closes, so a worker that is
    killed takes its engine along. One that is stopped says nothing into the pipe for as long as the engine's patience, and the
    engine leaves too.

    Args:
        patience: of the engine, in seconds: an empty line tells it several times meanwhile that this process goes on.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, patience: float | None = None
    ) -> None:
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
        self._begun = time.monotonic()
        self._done: float | None = None
        self._stop_by: float | None = None
        self._dead = threading.Event()
        self._said_of_step: Callable[[str], None] = _say
        self._writing = threading.Lock()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._said: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._listen, name="engine-events", daemon=True),
            threading.Thread(target=self._log, name="engine-log", daemon=True),
            threading.Thread(target=self._bury, name="engine-end", daemon=True),
        ]
        if patience is not None:
            self._threads.append(
                threading.Thread(target=self._go_on, args=(patience,), name="engine-life", daemon=True)
            )
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Ends the engine if it still runs."""
        self.kill()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def reusable(self) -> bool:
        """Whether it can be given another step."""
        return not self._dead.is_set() and self._stop_by is None

    @property
    def asked_to_stop(self) -> bool:
        return self._stop_by is not None

    @property
    def exit_code(self) -> int:
        """Negative: the number of the signal that ended it. Known once :meth:`events` has ended without a result."""
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def seconds(self) -> float:
        """How long it has worked on its step so far, or did."""
        return (self._done or time.monotonic()) - self._begun

    @property
    def tail(self) -> str:
        """The last lines of standard error."""
        return "\n".join(self._tail)

    def begin(self, order: Order) -> None:
        """Gives it a step."""
        self._begun, self._done = time.monotonic(), None
        self._tail.clear()
        self._said_of_step = of_here(_say)
        self._tell(order.model_dump_json())

    def events(self, *, tick: float) -> Iterator[Event | None]:
        """What it says about the step; None after each ``tick`` seconds of silence. Ends with a result, or with the process."""
        while True:
            try:
                event = self._said.get(timeout=tick)
            except queue.Empty:
                yield None
                continue
            if event is None:
                for thread in self._threads:
                    thread.join()
                return
            if isinstance(event, Result):
                self._done = time.monotonic()
            yield event
            if isinstance(event, Result):
                return

    def stop(self, *, grace: float) -> None:
        """Asks the engine to write a checkpoint and leave; called again after ``grace`` seconds, kills it. The shortest grace counts.

        Only the engine itself is told: processes that read its data must live until its checkpoint is written.
        """
        now = time.monotonic()
        if self._stop_by is None:
            self._stop_by = now + grace
            if not self._dead.is_set():
                # Not Popen.send_signal, which may reap the process under the eyes of the thread that waits for it.
                os.kill(self._process.pid, signal.SIGTERM)
            return
        self._stop_by = min(self._stop_by, now + grace)
        if now > self._stop_by:
            self.kill()

    def kill(self) -> None:
        """Ends the group at once."""
        if not self._dead.is_set():
            _kill_group(self._process.pid)

    def _tell(self, line: str) -> None:
        """One that has died meanwhile hears nothing; its end is what :meth:`events` gives then."""
        assert self._process.stdin is not None
        with self._writing, suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _go_on(self, patience: float) -> None:
        """Says that this process goes on. Where it did not for too long, another may have the step: the engine hears of no return."""
        spoke = time.monotonic()
        while not self._dead.wait(patience / 5):
            if time.monotonic() - spoke > patience:
                self.kill()
                return
            spoke = time.monotonic()
            self._tell("")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if text := line.strip():
                self._said.put(_event(text))
        self._said.put(None)

    def _log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._tail.append(line.rstrip())
            self._said_of_step(line.rstrip())

    def _bury(self) -> None:
        """Ends what the engine leaves running, so that the device is free and its pipes close.

        The engine is looked at before it is reaped: until then nobody else can have the number of its group.
        """
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        _kill_group(self._process.pid)
        self._done = self._done or time.monotonic()
        self._dead.set()
        self._process.wait()


def _event(line: str) -> Event:
    """A line that is no event was printed by some library: people may want to see it."""
    try:
        return parse_event(line)
    except ValidationError:
        return Log(message=line[:2000])


def _say(line: str) -> None:
    logger.info("%s", line)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        logger.debug("The group %d is gone already.", leader)
