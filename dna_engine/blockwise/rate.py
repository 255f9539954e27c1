"""Rating: how far every path of a cell ends from the teacher, on images held out from training.

The rating of a path is mean|S - Y| / std(Y): the L1 distance of the cell's output S to the teacher's map Y, relative to
the spread of Y over all rating images. Batch norm uses the statistics of the path's own batch, so the maps after a
common prefix are the same for all paths that share it and are computed once: a tree is walked in which a cell of four
layers with six ops costs 6 + 36 + 216 + 1296 = 1554 op evaluations a batch, not 4 * 1296. The maps of several prefixes
lie side by side and go through an op together, as many as the memory bound allows.
"""

from __future__ import annotations

import json
import operator
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from dna_engine.blockwise.cell import CellSupernet, make_cells
from dna_engine.blockwise.spread import Spread
from dna_engine.blockwise.teacher import Teacher, load_teacher
from dna_engine.events import Progress, Result
from dna_engine.plans import Step, files
from dna_engine.plans.results import CellsRated
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context
from dna_engine.runtime.cores import cores
from dna_engine.runtime.pace import Pace
from dna_engine.space import CellRef, Space
from dna_engine.spec import ResolvedSpec
from dna_engine.training import batches
from dna_engine.training.splits import load_splits

#: Seconds between two reports of progress, at least.
REPORT_EVERY = 0.5

#: Working memory in which the maps of a stack stay in the cache of a CPU core.
CPU_STACK = 8 << 20


class Rater:
    """Rates every path of one cell.

    Attributes:
        evaluations: ops run so far, each counted once for every prefix it ran on.
    """

    def __init__(
        self, space: Space, ref: CellRef, net: CellSupernet, *, memory: int, tell: Callable[[], None] = lambda: None
    ) -> None:
        """``memory`` bounds the bytes of activations that a stack of prefixes takes in one op; ``tell`` is called after each."""
        self.space, self.cell, self.net, self.memory, self.tell = space, space.cell(ref), net, memory, tell
        self.evaluations = 0

    @property
    def evaluations_per_batch(self) -> int:
        """As many as the tree of paths has edges."""
        widths = [len(self.space.layer_ops(layer)) for layer in range(self.cell.depth)]
        return sum(accumulate(widths, operator.mul))

    @torch.no_grad()
    def distances(self, x: Tensor, target: Tensor) -> Tensor:
        """Sum of |S - Y| over a batch for each path, in ``Space.paths`` order; float64 on the CPU.

        Args:
            x: the teacher's maps before the block (B, C, H, W).
            target: after the block.
        """
        found = torch.zeros(self.space.path_count(self.cell), dtype=torch.float64, device=x.device)
        self.net.stack.paths = 1
        root = self.net.enter(x)
        self._walk(0, root, torch.zeros(1, dtype=torch.long, device=x.device), target.float(), found)
        return found.cpu()

    def _walk(self, layer: int, maps: Tensor, prefixes: Tensor, target: Tensor, found: Tensor) -> None:
        """Extends a stack of prefixes, given by their numbers and their maps (P * B, C, H, W), by every op."""
        ops = self.space.layer_ops(layer)
        images = len(target)
        together = _evenly(len(prefixes), self._paths_together(layer, maps, target))
        for part, numbers in zip(torch.split(maps, together * images), torch.split(prefixes, together), strict=True):
            longer = [numbers * len(ops) + place for place in range(len(ops))]
            extended = []
            for op, paths in zip(ops, longer, strict=True):
                output = self.net.run_op(layer, op, part, len(paths))
                if layer < self.cell.depth - 1:
                    extended.append(output)
                else:
                    found[paths] = self._distance(output, target)
            self.evaluations += len(ops) * len(numbers)
            self.tell()
            if extended:
                self._walk(layer + 1, torch.cat(extended), torch.cat(longer), target, found)

    def _distance(self, maps: Tensor, target: Tensor) -> Tensor:
        """Sum of |S - Y| for each path of a stack: over an image in float32, over the images in float64."""
        output: Tensor = self.net.leave(maps)
        output = output.view(-1, *target.shape)  # (P, B, C, H, W)
        apart: Tensor = output.float() - target
        return apart.abs_().sum((2, 3, 4)).sum(1, dtype=torch.float64)

    def _paths_together(self, layer: int, maps: Tensor, target: Tensor) -> int:
        """How many prefixes go through an op at once: three copies of the widest maps, and all that come out, fit."""
        ops = self.space.layer_ops(layer)
        pixels = len(target) * maps.shape[2] * maps.shape[3]
        widest = maps.shape[1] * max(op.expansion for op in ops)
        out = pixels * (3 * widest + len(ops) * self.cell.width)
        last = 3 * target.numel()
        memory = min(self.memory, CPU_STACK) if maps.device.type == "cpu" else self.memory
        return max(1, memory // (4 * max(out, last)))


class Rating:
    """The cells of one step, rated batch by batch.

    Args:
        spec: the search.
        cells: trained, on the context's device.
        teacher: on the context's device.
        images: held out from training.
        context: of the step.
        file: where the checkpoint goes.
    """

    def __init__(
        self,
        spec: ResolvedSpec,
        cells: dict[CellRef, CellSupernet],
        teacher: Teacher,
        images: batches.Images,
        context: Context,
        file: str,
    ) -> None:
        space, memory = spec.parsed_space, spec.rating.memory_mb << 20
        self.teacher, self.images, self.context = teacher, images, context
        self.batch_size = even_batch(len(images), spec.rating.batch_size)
        self.raters = {ref: Rater(space, ref, net, memory=memory, tell=self._tell_if_due) for ref, net in cells.items()}
        self.sums = {ref: torch.zeros(space.path_count(space.cell(ref)), dtype=torch.float64) for ref in cells}
        self.boundaries = sorted({number for ref in cells for number in (ref.block - 1, ref.block)})
        self.spreads = {ref.block: Spread() for ref in cells}
        self.batches = 0
        self.pace = Pace(context, context.run / file, self._state)
        self.total = -(-len(images) // self.batch_size)
        self.progress = _Progress(self.raters, self.total, context)

    def run(self) -> dict[CellRef, list[float]]:
        """The rating of every path of every cell, in ``Space.paths`` order.

        Raises:
            Interrupted: told to stop, after writing a checkpoint.
        """
        self._restore()
        with cores(self.context.device) as pool:
            self._run(pool)
        return {
            ref: (sums / (self.spreads[ref.block].count * self.spreads[ref.block].deviation)).tolist()
            for ref, sums in self.sums.items()
        }

    def _run(self, pool: Executor) -> None:
        first = self.batches
        self.progress.begin(first)
        for number, (images, _) in enumerate(self.images.ordered(self.batch_size)):
            if number < first:
                continue
            self._rate(images.contiguous(memory_format=torch.channels_last), pool)
            self.batches = number + 1
            self.progress.tell()
            self.pace.keep(last=self.batches == self.total)

    def _rate(self, images: Tensor, pool: Executor) -> None:
        maps = self.teacher.features(images, self.boundaries)
        for block, spread in self.spreads.items():
            spread.add(maps[block])

        def rate(ref: CellRef) -> tuple[CellRef, Tensor]:
            return ref, self.raters[ref].distances(maps[ref.block - 1], maps[ref.block])

        for ref, distances in pool.map(rate, self.raters):
            self.sums[ref] += distances

    def _tell_if_due(self) -> None:
        self.progress.tell_if_due()

    def _state(self) -> dict[str, Any]:
        return {
            "batches": self.batches,
            "sums": {str(ref): sums for ref, sums in self.sums.items()},
            "spreads": {block: vars(spread) for block, spread in self.spreads.items()},
        }

    def _restore(self) -> None:
        state = self.pace.resume()
        if state is None:
            return
        self.batches = state["batches"]
        self.sums = {ref: state["sums"][str(ref)] for ref in self.sums}
        self.spreads = {block: Spread(**state["spreads"][block]) for block in self.spreads}
        self.pace.goes_on("batch", self.batches, self.total)


class _Progress:
    """Tells how many op evaluations of all batches are done, from whichever thread did one.

    On a GPU they are counted when they are queued, which is ahead of the device by what it holds in its queue.
    """

    def __init__(self, raters: Mapping[CellRef, Rater], batches: int, context: Context) -> None:
        self._raters, self._context = raters, context
        self._per_batch = sum(rater.evaluations_per_batch for rater in raters.values())
        self._total = batches * self._per_batch
        self._lock = threading.Lock()
        self._before = 0
        self._began = self._told = time.monotonic()

    def begin(self, batches: int) -> None:
        """Rating goes on after so many batches."""
        self._before = batches * self._per_batch
        self._began = self._told = time.monotonic()

    def tell_if_due(self) -> None:
        """Tells unless it was told a moment ago, or another thread does."""
        if time.monotonic() - self._told > REPORT_EVERY and self._lock.acquire(blocking=False):
            try:
                self._emit()
            finally:
                self._lock.release()

    def tell(self) -> None:
        with self._lock:
            self._emit()

    def _emit(self) -> None:
        self._told = time.monotonic()
        here = sum(rater.evaluations for rater in self._raters.values())
        pace = (self._told - self._began) / here
        self._context.reporter.emit(
            Progress(
                done=self._before + here,
                total=self._total,
                unit="op evaluations",
                eta_seconds=pace * (self._total - self._before - here),
                parts=[str(ref) for ref in self._raters],
            )
        )


def _evenly(count: int, most: int) -> int:
    """The size of as few and as equal parts as possible of at most so many."""
    return -(-count // -(-count // most))


def even_batch(images: int, batch_size: int) -> int:
    """The size of as many equal batches as are needed, so that batch norm never sees a small remainder; one image it cannot see."""
    even = _evenly(images, batch_size)
    return next(size for size in range(even, images + 1) if images % size != 1)


def load_cells(
    spec: ResolvedSpec, refs: Sequence[CellRef], run: Path, teacher: Teacher, device: torch.device
) -> dict[CellRef, CellSupernet]:
    """The cells that distillation left in the run folder."""
    cells = make_cells(spec, refs, teacher.shapes(spec.input_size))
    for ref, net in cells.items():
        net.load_state_dict(load_file(run / files.cell_weights(ref)))
        net.to(device).to(memory_format=torch.channels_last)
    return cells


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Rates the step's cells and writes ``ratings/CELL.json`` for each: block, cell, losses in order of the paths.

    Raises:
        Interrupted: told to stop, after writing a checkpoint.
    """
    teacher = load_teacher(spec, context.run, context.device)
    refs = [CellRef.parse(cell) for cell in step.cells]
    cells = load_cells(spec, refs, context.run, teacher, context.device)
    images = load_splits(spec, context.device).rate
    ratings = Rating(spec, cells, teacher, images, context, step.checkpoint).run()
    for ref, losses in ratings.items():
        path = context.run / files.cell_ratings(ref)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"block": ref.block, "cell": ref.cell, "losses": losses}))
    checkpoint.remove(context.run / step.checkpoint)
    return CellsRated(best={str(ref): min(losses) for ref, losses in ratings.items()}).result(step.outputs(spec))
