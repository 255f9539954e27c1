"""When a long loop writes checkpoints, goes on from them, and stops: the same for all that the engine trains and rates."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dna_engine.events import Checkpoint, Log, Metric
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context

#: Seconds between the checkpoints of a step, at least.
CHECKPOINT_EVERY = float(os.environ.get("DNA_CHECKPOINT_SECONDS", "15"))
#: Of a loop's time, what its checkpoints may take: large ones are written less often, but for the next.
SHARE = 0.05
#: What a machine that dies may lose at most, between two pieces of work: seconds.
LONGEST = 60.0
#: Where a checkpoint holds the points that were told; those of earlier versions hold none.
_TOLD = "told"


class Pace:
    """Asked after each piece of work.

    What was said before a checkpoint may not have been heard when the step goes on from it: who listened was killed. So the points of
    series are kept in it and told again; one that is told twice is the same.

    Args:
        context: of the step.
        file: where checkpoints go, in the run folder.
        state: what a checkpoint holds of the work so far.
    """

    def __init__(self, context: Context, file: Path, state: Callable[[], dict[str, Any]]) -> None:
        self._context = context
        self._file = file
        self._state = state
        self._told: list[Metric] = []
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

    def tell(self, point: Metric) -> None:
        """Tells a point of a series, now and after going on from a later checkpoint."""
        self._told.append(point)
        self._context.reporter.emit(point)

    def resume(self) -> dict[str, Any] | None:
        """The state to go on from, as :func:`dna_engine.runtime.checkpoint.resume`; tells the points that were told before it."""
        state = checkpoint.resume(self._file, self._context.reporter)
        for series, x, y in state.pop(_TOLD, []) if state else []:
            self.tell(Metric(series=series, x=x, y=y))
        return state

    def goes_on(self, unit: str, done: int, total: int) -> None:
        """Says from where the step goes on: so many units are done."""
        message = f"{self._file.stem} goes on from its checkpoint at {unit} {done} of {total}."
        self._context.reporter.emit(Log(message=message))

    def save(self) -> None:
        """Writes a checkpoint now, and tells of it; of a team, the first does."""
        if not self._context.team.leads:
            return
        began = time.monotonic()
        told = [[point.series, point.x, point.y] for point in self._told]
        checkpoint.save(self._file, self._state() | {_TOLD: told})
        self._context.reporter.emit(Checkpoint(name=str(self._file.relative_to(self._context.run))))
        now = time.monotonic()
        self._due = now + max(CHECKPOINT_EVERY, min((now - began) / SHARE, LONGEST))
