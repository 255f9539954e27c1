"""Why an engine ended without a result, in words that say what to do, and whether another attempt may go better."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import timedelta

from dna_engine.errors import DiskFull, Interrupted, ProcessLost, StepFailed
from dna_engine.events import Failure
from store.columns import Json

#: Neither the engine nor the database failed, but what the worker needs beside them: most likely the stored files were away.
WORKER_ERROR = "worker_error"

#: The engine's process came to an end by itself, or something outside ended it.
ENGINE_CRASHED, ENGINE_KILLED = "engine_crashed", "engine_killed"

#: What has to pass by itself, or be put right by somebody.
_PASSING = frozenset({DiskFull.code, WORKER_ERROR})

#: Characters of the engine's last words in a message.
TAIL = 1500


@dataclass(frozen=True)
class Problem:
    """``error`` with ``code``, ``message`` and ``param``; ``retry``: a crash, not an error in what was asked."""

    error: Json
    retry: bool

    def wait(self, attempt: int, seconds: float) -> timedelta:
        """How long to wait after that attempt, where something else than the step must get better first: ``seconds``, and four times
        as long each further time.
        """
        return timedelta(seconds=seconds * 4 ** (attempt - 1) if self.error.get("code") in _PASSING else 0.0)


def explain(exit_code: int, failure: Failure | None, tail: str) -> Problem:
    """The problem behind an exit code, the engine's own failure event where there was one, and its standard error."""
    if failure is not None:
        code = failure.error.get("code")
        if code in (ProcessLost.code, StepFailed.code):
            return problem(code, _with_tail(failure.error["message"], tail), retry=code == ProcessLost.code)
        # Interrupted: somebody else than the supervisor told the engine to stop.
        return Problem(failure.error, retry=code in (Interrupted.code, DiskFull.code))
    if exit_code < 0:
        return _killed(signal.Signals(-exit_code).name, tail)
    if exit_code == 0:
        return problem("engine_incomplete", _with_tail("The engine ended without a result.", tail))
    return problem(ENGINE_CRASHED, _with_tail(f"The engine crashed (exit code {exit_code}).", tail))


def problem(code: str, message: str, *, retry: bool = True) -> Problem:
    """A problem that the engine does not name itself."""
    return Problem({"code": code, "message": message.replace("\x00", "\ufffd"), "param": None}, retry)


def _killed(name: str, tail: str) -> Problem:
    if name == "SIGKILL":
        hint = (
            "Something outside killed the engine (SIGKILL), most often the system because memory ran out. Use smaller batches "
            "or a lower rating.memory_mb, or give the worker more memory."
        )
        return problem(ENGINE_KILLED, _with_tail(hint, tail))
    return problem(ENGINE_CRASHED, _with_tail(f"The engine crashed ({name}).", tail))


def _with_tail(message: str, tail: str) -> str:
    return f"{message} Its last lines:\n{tail[-TAIL:]}" if tail else message
