"""Distillation: trains the cells of any blocks together, in one pass of the teacher per batch.

Every step draws one path per cell; the cell turns the teacher's map before its block into one after it, and learns by
the squared distance to the teacher's. Cells share nothing but the images: each has its own adaptors, optimiser, learning
rate and paths, which depend on (search seed, cell, step) alone. So a cell comes out the same, to the bit on a CPU, with
whatever other cells it is trained, and however often it is interrupted.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from dna_engine.blockwise.cell import CellSupernet, make_cells
from dna_engine.blockwise.teacher import Teacher, load_teacher
from dna_engine.blockwise.trainee import Trainee
from dna_engine.errors import NonFiniteLoss, OutOfMemory
from dna_engine.events import Log, Metric, Progress, Result
from dna_engine.plans import Step, files
from dna_engine.plans.results import CellsDistilled
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context, precision
from dna_engine.runtime.cores import cores
from dna_engine.runtime.pace import Pace
from dna_engine.space import CellRef
from dna_engine.spec import ResolvedSpec
from dna_engine.training import batches
from dna_engine.training.splits import load_splits

#: Points of a loss curve.
POINTS = 100
#: Pixels that the teacher sees at once on a CPU, where it is fastest: four images of 224 by 224.
PIXELS = 4 * 224 * 224


class Distillation:
    """The cells of one step in training.

    Args:
        spec: the search.
        refs: the cells.
        teacher: on the context's device.
        images: the training images.
        context: of the step.
        file: where the checkpoint goes.
    """

    def __init__(
        self,
        spec: ResolvedSpec,
        refs: list[CellRef],
        teacher: Teacher,
        images: batches.Images,
        context: Context,
        file: str,
    ) -> None:
        recipe = spec.training
        self.spec, self.teacher, self.images, self.context = spec, teacher, images, context
        self.steps = recipe.epochs * images.steps(recipe.batch_size)
        self.boundaries = sorted({number for ref in refs for number in (ref.block - 1, ref.block)})
        self.micro_batch = recipe.batch_size
        self.since_report = self.done = 0
        self.pace = Pace(context, context.run / file, self._state)
        cells = make_cells(spec, refs, teacher.shapes(spec.input_size))
        self.trainees = [
            Trainee(spec, ref, net.to(context.device).to(memory_format=torch.channels_last), self.steps)
            for ref, net in cells.items()
        ]

    def run(self) -> dict[CellRef, CellSupernet]:
        """Trains from the checkpoint, if there is one, to the end.

        Raises:
            NonFiniteLoss: a cell diverged.
            OutOfMemory: not even two images fit the device.
            Interrupted: told to stop, after writing a checkpoint.
        """
        with cores(self.context.device) as pool:
            start = self._restore()
            self._run(start, self._steps_on_cpu(start, pool) if self._on_cpu else self._steps_on_gpu(start))
        return {trainee.ref: trainee.net for trainee in self.trainees}

    def _run(self, start: int, steps: Iterator[int]) -> None:
        began = time.monotonic()
        every = max(1, self.steps // POINTS)
        for step in steps:
            done = step + 1
            if done % every == 0 or done == self.steps:
                self._report(done, (time.monotonic() - began) / (done - start))
            self.done = done
            self.pace.keep(last=done == self.steps)

    @property
    def _on_cpu(self) -> bool:
        return self.context.device.type == "cpu"

    def _calibrate(self, parts: Iterable[dict[int, Tensor]]) -> None:
        """Starts every exit at the mean of the teacher's maps of a batch; most of the training would go into finding it."""
        sums = {trainee.ref.block: torch.zeros((), device=self.context.device) for trainee in self.trainees}
        images = 0
        for maps in parts:
            for block in sums:
                sums[block] = sums[block] + maps[block].float().mean((2, 3)).sum(0)
            images += len(maps[self.boundaries[0]])
        for trainee in self.trainees:
            trainee.net.start_from_mean(sums[trainee.ref.block] / images)

    def _batches(self, start: int) -> Iterator[Tensor]:
        recipe = self.spec.training
        for images, _ in self.images.batches(recipe.batch_size, epochs=recipe.epochs, seed=self.spec.seed, start=start):
            yield images.contiguous(memory_format=torch.channels_last)

    def _steps_on_cpu(self, start: int, pool: Executor) -> Iterator[int]:
        """Cells train side by side while the teacher looks at the next batch, in parts so small that no core waits."""

        batches = self._batches(start)

        def supervise_next() -> list[Future[dict[int, Tensor]]]:
            """In parts of a batch; none after the last."""
            return [
                pool.submit(self._supervise, part)
                for images in itertools.islice(batches, 1)
                for part in images.chunk(-(-len(images) * self.spec.teacher_size**2 // PIXELS))
            ]

        def train(trainee: Trainee, step: int, maps: dict[int, Tensor]) -> None:
            trainee.accumulate(step, maps, 1.0)
            trainee.update(step)

        coming = supervise_next()
        for step in range(start, self.steps):
            parts = [part.result() for part in coming]
            maps = {number: torch.cat([part[number] for part in parts]) for number in self.boundaries}
            if step == 0:
                self._calibrate([maps])
            training = [pool.submit(train, trainee, step, maps) for trainee in self.trainees]
            coming = supervise_next()
            for cell in training:
                cell.result()
            self.since_report += 1
            yield step

    def _steps_on_gpu(self, start: int) -> Iterator[int]:
        for step, images in enumerate(self._batches(start), start):
            while not self._gathered(step, images):
                self._halve()
            for trainee in self.trainees:
                trainee.update(step)
            self.since_report += 1
            yield step

    def _gathered(self, step: int, images: Tensor) -> bool:
        """Gathers the gradients of a batch; False where memory did not suffice and nothing was gathered."""
        before = [trainee.loss_sum.clone() for trainee in self.trainees]
        parts = torch.split(images, self.micro_batch)
        try:
            if step == 0:
                self._calibrate(map(self._supervise, parts))
            for part, maps in zip(parts, map(self._supervise, parts), strict=True):
                for trainee in self.trainees:
                    trainee.accumulate(step, maps, len(part) / len(images))
        except torch.cuda.OutOfMemoryError:
            for trainee, loss_sum in zip(self.trainees, before, strict=True):
                trainee.optimizer.zero_grad()
                trainee.loss_sum.copy_(loss_sum)
                trainee.forget_parts()
            return False
        return True

    def _supervise(self, images: Tensor) -> dict[int, Tensor]:
        """The teacher's maps, in the precision that suits the device."""
        with precision(images.device):
            return self.teacher.features(images, self.boundaries)

    def _halve(self) -> None:
        """Goes on with half the images at a time; batch norm then sees that many, the rest stays the same."""
        torch.cuda.empty_cache()
        self.micro_batch //= 2
        if self.micro_batch < 2:
            raise OutOfMemory("Not even two images fit the device's memory. Take a smaller input_size or teacher.")
        self.context.reporter.emit(
            Log(level="warning", message=f"Out of device memory: going on with {self.micro_batch} images at a time.")
        )

    def _losses(self, done: int) -> list[float]:
        """Sum of each cell's losses since the last report."""
        losses: list[float] = torch.stack([trainee.loss_sum for trainee in self.trainees]).tolist()
        for trainee, loss in zip(self.trainees, losses, strict=True):
            if not math.isfinite(loss):
                raise NonFiniteLoss(
                    f"The loss of cell {trainee.ref} became {loss} by step {done}. Lower training.learning_rate.",
                    param="training.learning_rate",
                )
        return losses

    def _report(self, done: int, seconds_per_step: float) -> None:
        for trainee, loss in zip(self.trainees, self._losses(done), strict=True):
            mean = loss / self.since_report
            self.pace.tell(Metric(series=f"distill/{trainee.ref}/loss", x=done, y=mean))
            trainee.loss_sum.zero_()
        self.since_report = 0
        self.context.reporter.emit(
            Progress(
                done=done,
                total=self.steps,
                eta_seconds=(self.steps - done) * seconds_per_step,
                parts=[str(trainee.ref) for trainee in self.trainees],
            )
        )

    def _state(self) -> dict[str, Any]:
        self._losses(self.done)  # What has diverged is never kept.
        return {
            "done": self.done,
            "since_report": self.since_report,
            "micro_batch": self.micro_batch,
            "cells": {str(trainee.ref): trainee.state() for trainee in self.trainees},
        }

    def _restore(self) -> int:
        state = self.pace.resume()
        if state is None:
            return 0
        for trainee in self.trainees:
            trainee.restore(state["cells"][str(trainee.ref)])
        self.since_report, self.micro_batch = state["since_report"], state["micro_batch"]
        self.pace.goes_on("step", state["done"], self.steps)
        return int(state["done"])


def run_step(spec: ResolvedSpec, step: Step, context: Context) -> Result:
    """Trains the step's cells and writes ``cells/CELL.safetensors`` for each.

    Raises:
        NonFiniteLoss: a cell diverged.
        OutOfMemory: not even two images fit the device.
        Interrupted: told to stop, after writing a checkpoint.
    """
    teacher = load_teacher(spec, context.run, context.device)
    refs = [CellRef.parse(cell) for cell in step.cells]
    images = load_splits(spec, context.device).train
    cells = Distillation(spec, refs, teacher, images, context, step.checkpoint).run()
    (context.run / "cells").mkdir(exist_ok=True)
    for ref, net in cells.items():
        weights = {name: tensor.cpu().contiguous() for name, tensor in net.state_dict().items()}
        save_file(weights, context.run / files.cell_weights(ref))
    checkpoint.remove(context.run / step.checkpoint)
    return CellsDistilled().result(step.outputs(spec))
