"""When a long loop writes checkpoints, and when it stops: the same for all that the engine trains and rates."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dna_engine.events import Checkpoint
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context

#: Seconds between the checkpoints of a step, at least.
CHECKPOINT_EVERY = float(os.environ.get("DNA_CHECKPOINT_SECONDS", "15"))
#: Of a loop's time, what its checkpoints may take: large ones are written less often.
SHARE = 0.05


class Pace:
    """Asked after each piece of work.

    Args:
        context: of the step.
        file: where checkpoints go, in the run folder.
        state: what a checkpoint holds of the work so far.
    """

    def __init__(self, context: Context, file: Path, state: Callable[[], dict[str, Any]]) -> None:
        self._context = context
        self._file = file
        self._state = state
        self._due = time.monotonic() + CHECKPOINT_EVERY

    def keep(self, *, last: bool = False) -> None:
        """Writes a checkpoint when one is due; after the ``last`` piece none is, for the result follows.

        Raises:
            Interrupted: told to stop, after writing a checkpoint.
        """
        if self._context.stop():
            self.save()
            self._context.interrupt()
        if not last and time.monotonic() > self._due:
            self.save()

    def save(self) -> None:
        """Writes a checkpoint now, and tells of it."""
        began = time.monotonic()
        checkpoint.save(self._file, self._state())
        self._context.reporter.emit(Checkpoint(name=str(self._file.relative_to(self._context.run))))
        now = time.monotonic()
        self._due = now + max(CHECKPOINT_EVERY, (now - began) / SHARE)
