"""Distillation: all blocks in one pass of the teacher, against the reference's schedule.

The reference trains one block after another and runs the teacher again, up to that block, for each; with several cells in
a block it is run once for every cell. Both sides use the engine's own teacher, cells, paths and optimisers on the same
images, random ones: time does not depend on what they show. The reference side is in full precision, on a GPU with
contiguous maps: in full precision some convolutions of channels_last ones take up to nine times as long there. Both draw the same
paths; in six steps every op of a layer is trained once (``training.sampling``), so steps are best a multiple of six.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from benchmarks import report, turns
from dna_engine.blockwise.cell import make_cells
from dna_engine.blockwise.distill import Distillation
from dna_engine.blockwise.models import build
from dna_engine.blockwise.teacher import Teacher
from dna_engine.blockwise.trainee import Trainee, draw_path
from dna_engine.images.albums import FolderAlbum
from dna_engine.images.info import DatasetInfo
from dna_engine.runtime.context import Context, choose_device, precision, prepare
from dna_engine.space import CellRef
from dna_engine.spec import DistillSpec, ResolvedSpec, SearchSpec, TeacherSpec, resolve
from dna_engine.training import batches

CLASSES = 10
JPEGS = 64
#: How often the engine's pass is timed, of which the shortest counts: on a GPU it is over in a moment.
REPEATS = {"cpu": 1, "cuda": 3}


@dataclass(frozen=True)
class Bench:
    """What both sides run."""

    spec: ResolvedSpec
    teacher: Teacher
    images: batches.Images
    device: torch.device

    @property
    def steps(self) -> int:
        return self.images.steps(self.spec.training.batch_size)

    @property
    def reference_format(self) -> torch.memory_format:
        return torch.contiguous_format if self.device.type == "cuda" else torch.channels_last

    def batches(self, layout: torch.memory_format = torch.channels_last) -> list[Tensor]:
        chosen = self.images.batches(self.spec.training.batch_size, epochs=1, seed=self.spec.seed)
        return [images.contiguous(memory_format=layout) for images, _ in chosen]

    def trainees(self, refs: Sequence[CellRef], layout: torch.memory_format = torch.channels_last) -> list[Trainee]:
        cells = make_cells(self.spec, refs, self.teacher.shapes(self.spec.input_size))
        return [
            Trainee(self.spec, ref, net.to(self.device).to(memory_format=layout), self.steps)
            for ref, net in cells.items()
        ]

    def reference(self, refs: Sequence[CellRef]) -> dict[CellRef, float]:
        """Seconds to train each cell alone, in full precision, the teacher run up to its block."""
        layout = self.reference_format
        teacher, batches = self.teacher.to(memory_format=layout), self.batches(layout)

        def run(trainee: Trainee) -> None:
            ref = trainee.ref
            for step, images in enumerate(batches):
                maps = teacher.features(images, [ref.block - 1, ref.block])
                path = draw_path(trainee.space, ref, step, sampling=trainee.recipe.sampling, seed=trainee.seed)
                target = maps[ref.block]
                loss = (trainee.net(maps[ref.block - 1], path) - target).square().mean() / target.var()
                loss.backward()
                trainee.update(step)

        took = {trainee.ref: self.seconds(partial(run, trainee)) for trainee in self.trainees(refs, layout)}
        self.teacher.to(memory_format=torch.channels_last)
        return took

    def one_pass(self, refs: list[CellRef]) -> float:
        """Seconds to train all the cells as the engine does."""
        with tempfile.TemporaryDirectory() as folder:
            context = Context(run=Path(folder), device=self.device, reporter=report.Silent())
            distillation = Distillation(self.spec, refs, self.teacher, self.images, context, "checkpoint.safetensors")
            return self.seconds(distillation.run)

    def supervise(self, images: Tensor, boundaries: Collection[int]) -> dict[int, Tensor]:
        """The teacher's maps in the precision in which the engine computes them."""
        with precision(self.device):
            return self.teacher.features(images, boundaries)

    def teacher_alone(self) -> float:
        batches, last = self.batches(), len(self.spec.parsed_space.blocks)

        def work() -> None:
            for images in batches:
                self.supervise(images, [last])

        return self.seconds(work)

    def students_alone(self, refs: Sequence[CellRef]) -> float:
        boundaries = range(len(self.spec.parsed_space.blocks) + 1)
        trainees, maps = self.trainees(refs), self.supervise(self.batches()[0], boundaries)

        def work() -> None:
            for step in range(self.steps):
                for trainee in trainees:
                    trainee.accumulate(step, maps, 1.0)
                    trainee.update(step)

        return self.seconds(work)

    def seconds(self, work: Callable[[], object]) -> float:
        """Wall time of ``work``; on a GPU up to the end of its last kernel."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        work()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began


def prepare_bench(
    space: str | dict[str, Any], *, teacher: str, input_size: int, batch_size: int, steps: int, device: torch.device
) -> Bench:
    """A search on random images, with a teacher of random weights."""
    count = batch_size * steps
    dataset = DatasetInfo(
        name="random",
        kind="builtin",
        location="random",
        num_classes=CLASSES,
        num_train=max(count, 2 + CLASSES),  # As many as a search needs, which holds some out; here nothing is rated.
        num_test=1,
        image_size=input_size,
    )
    search = SearchSpec(
        dataset="random",
        space=space,
        input_size=input_size,
        teacher=TeacherSpec(model=teacher, weights="train"),
        training=DistillSpec(epochs=1, batch_size=batch_size),
    )
    spec = resolve(search, dataset)
    torch.manual_seed(0)
    model = Teacher(build(teacher), spec.teacher.boundaries).to(device).to(memory_format=torch.channels_last)
    canvases = torch.randint(0, 256, (count, 3, input_size, input_size), dtype=torch.uint8)
    images = batches.StoredImages(
        canvases.to(device), torch.zeros(count, dtype=torch.long, device=device), input_size, augment=False, flip=False
    )
    return Bench(spec, model, images, device)


def loader_rate(input_size: int, batch_size: int, device: torch.device) -> float:
    """Images per second that the engine decodes, crops and resizes from JPEG files, its worker processes warm."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.jpg" for number in range(JPEGS)]
        for number, path in enumerate(paths):
            small = torch.randint(
                0, 256, (24, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(number)
            )
            Image.fromarray(small.numpy()).resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)
        times = max(4, 4 * batch_size // JPEGS)
        album = FolderAlbum(paths * times, [0] * JPEGS * times)
        images = batches.StreamedImages(
            album, range(len(album.paths)), input_size, augment=True, flip=True, device=device
        )
        epoch = images.epoch(0, batch_size, seed=0)
        next(epoch)
        began = time.perf_counter()
        seen = sum(len(labels) for _, labels in epoch)
        return seen / (time.perf_counter() - began)


def peak_memory(device: torch.device) -> str:
    """Most memory in use so far: of the GPU, or of this process."""
    if device.type == "cuda":
        return f"{torch.cuda.max_memory_allocated() / 2**20:,.0f} MiB on the GPU"
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20:,.0f} MiB of the process"


def warm_up(bench: Bench, refs: list[CellRef]) -> None:
    """Has a GPU choose its kernels and claim its memory; every op of both sides runs once."""
    if bench.device.type == "cuda":
        print(f"First run of the engine: {bench.one_pass(refs):.1f} s, of the reference: ", end="", flush=True)
        print(f"{sum(bench.reference(refs).values()):.1f} s\n", flush=True)
        torch.cuda.reset_peak_memory_stats()


def compare(bench: Bench) -> list[list[str]]:
    """The reference runs once for every cell, the engine trains all in one pass."""
    refs = bench.spec.parsed_space.cells
    warm_up(bench, refs)
    count = bench.steps * bench.spec.training.batch_size
    with turns.alone(bench.device):
        one_pass = min(bench.one_pass(refs) for _ in range(REPEATS[bench.device.type]))
        peak = peak_memory(bench.device)
        teacher = min(bench.teacher_alone() for _ in range(REPEATS[bench.device.type]))
        students = min(bench.students_alone(refs) for _ in range(REPEATS[bench.device.type]))
        apart = bench.reference(refs)
    reference, ideal = sum(apart.values()), teacher + students
    rows = [[f"reference: {len(refs)} runs", f"{reference:.2f}", f"{count / reference:.2f}", "1.00", ""]]
    rows += [[f"  of it {ref}, teacher included", f"{seconds:.2f}", "", "", ""] for ref, seconds in apart.items()]
    ratio = f"{reference / one_pass:.2f}"
    rows += [
        [f"engine: {len(refs)} cells in one pass", f"{one_pass:.2f}", f"{count / one_pass:.2f}", ratio, peak],
        ["  teacher alone", f"{teacher:.2f}", f"{count / teacher:.2f}", "", ""],
        ["  students alone", f"{students:.2f}", f"{count / students:.2f}", "", ""],
        ["  teacher and students added up", f"{ideal:.2f}", f"{count / ideal:.2f}", "", ""],
        ["  share of that ideal", f"{ideal / one_pass:.0%}", "", "", ""],
    ]
    return rows


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    batch_size = arguments.batch_size or (8 if device.type == "cpu" else 256)
    steps = arguments.steps or (6 if device.type == "cpu" else 12)
    report.print_header(f"distillation, batch {batch_size}, {steps} steps", device)
    columns = ["schedule", "seconds", "images/s", "ratio", "peak memory"]
    with turns.among_others():
        for space in arguments.spaces:
            bench = prepare_bench(
                space,
                teacher=arguments.teacher,
                input_size=arguments.input_size,
                batch_size=batch_size,
                steps=steps,
                device=device,
            )
            print(f"{arguments.teacher} at {arguments.input_size} pixels, {space}:\n")
            report.print_table(columns, compare(bench))
        with turns.alone(device):
            rate = loader_rate(arguments.input_size, batch_size, device)
    print(f"The loader decodes, crops and resizes {rate:,.1f} JPEG files of 500x375 a second.")


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cpu or cuda")
    parser.add_argument("--teacher", default="tf_efficientnet_b7")
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, help="default: 8 on a CPU, 256 on a GPU")
    parser.add_argument("--steps", type=int, help="default: 6 on a CPU, 12 on a GPU")
    parser.add_argument(
        "--spaces", nargs="+", choices=["dna-mbconv-single", "dna-mbconv"], default=["dna-mbconv-single", "dna-mbconv"]
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
