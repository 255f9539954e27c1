"""Keeps one engine process ready for the next step: torch takes seconds to load, so it is loaded beforehand and once.

A process that ended, failed or was told to stop is not used again; a fresh one takes its place at once.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType

from worker.process import EngineProcess

logger = logging.getLogger("dna.worker.engines")


class Engines:
    """Engines of one device, one at a time, from the start of the ``with`` block to its end.

    Args:
        patience: seconds after which an engine leaves whose supervisor was stopped; without it, it stays.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], patience: float | None = None) -> None:
        self._command = command if patience is None else [*command, "--patience", f"{patience:g}"]
        self._patience = patience
        self._environment = os.environ | environment
        self._lock = threading.Lock()
        self._ready: EngineProcess | None = None
        self._used: float | None = None
        self._open = False

    def __enter__(self) -> Engines:
        self._open = True
        self._ready = self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._open = False
            if self._ready is not None:
                self._ready.close()
                self._ready = None

    @contextmanager
    def borrowed(self) -> Iterator[EngineProcess]:
        """An engine for one step. It is closed at the end of the block, unless it can take another step."""
        with self._lock:
            engine, self._ready = self._ready, None
        if engine is None or not engine.reusable:
            if engine is not None:
                engine.close()
            engine = self._start()
        finished = False
        try:
            yield engine
            finished = True
        finally:
            self._return(engine, finished)

    def refresh(self, *, after: float) -> None:
        """Replaces an engine that has worked and then had nothing to do for ``after`` seconds: it may hold the device's memory."""
        with self._lock:
            if self._ready is not None and self._used is not None and time.monotonic() - self._used > after:
                self._ready.close()
                self._ready, self._used = self._start(), None

    def _return(self, engine: EngineProcess, finished: bool) -> None:
        with self._lock:
            if finished and engine.reusable and self._open:
                self._ready, self._used = engine, time.monotonic()
                return
            engine.close()
            if self._open:
                self._prepare()

    def _prepare(self) -> None:
        """The next step starts one itself where none is ready; how the last one ended is not forgotten over it."""
        try:
            self._ready, self._used = self._start(), None
        except OSError as error:
            logger.error("No engine can be started: %s", error)

    def _start(self) -> EngineProcess:
        return EngineProcess(self._command, environment=self._environment, patience=self._patience)
