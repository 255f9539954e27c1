"""Which switches pay where: precision, memory layout, compilation and CUDA graphs, for each part of a search.

Times the teacher's pass, one training step of a cell, the rating of a cell's paths and one training step of a network, each
with every combination asked for. What is faster here is what the engine should use on that device; the last column says how
much. With bf16 it also gives Kendall's tau between its ratings and those in full precision: of a cell with random weights,
and with ``--run`` of every trained cell of a finished run folder, on the images that rated it.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import report, turns
from benchmarks.agreement import kendall_tau
from dna_engine.blockwise.cell import CellSupernet
from dna_engine.blockwise.models import build
from dna_engine.blockwise.rate import Rater, even_batch, load_cells
from dna_engine.blockwise.teacher import Teacher, load_teacher
from dna_engine.catalogue import align, get_teacher
from dna_engine.plots import read_spec
from dna_engine.runtime.context import choose_device, prepare
from dna_engine.space import CellRef, get_space
from dna_engine.space.architecture import published
from dna_engine.training import network
from dna_engine.training.splits import load_splits

PARTS = ("teacher", "cell", "rating", "network")
#: A cell of the middle of ``dna-mbconv-single``: 4 layers of 80 channels between the teacher's maps 80x28x28 and 160x14x14.
CELL, CHANNELS, SIDE = CellRef(3), (80, 160), 28


@dataclass(frozen=True)
class Switches:
    precision: str
    layout: str
    run: str

    @property
    def format(self) -> torch.memory_format:
        return report.LAYOUTS[self.layout]

    def autocast(self, device: torch.device) -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def compile(self, module: nn.Module) -> Callable[..., Tensor]:
        return cast(Callable[..., Tensor], torch.compile(module) if self.run == "compiled" else module)

    def capture(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """The work as a CUDA graph that is replayed, where that is wanted: one launch for all its kernels."""
        if self.run != "graph":
            return work
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # What is made on first use is made before.
            work()
            work()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = work()

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay

    def __str__(self) -> str:
        return f"{self.precision}, {self.layout}, {self.run}"


def make_part(part: str, switches: Switches, batch_size: int, device: torch.device) -> Callable[[], Tensor]:
    """One unit of work of a part: what is timed."""
    torch.manual_seed(0)
    images = torch.randn(batch_size, 3, 224, 224, device=device).contiguous(memory_format=switches.format)
    if part == "teacher":
        return _teacher(switches, images)
    if part == "network":
        return _network(switches, images)
    space = get_space("dna-mbconv-single")
    net = CellSupernet(space, CELL, *CHANNELS, width="adaptors").to(device).to(memory_format=switches.format)
    x = torch.randn(batch_size, CHANNELS[0], SIDE, SIDE, device=device).contiguous(memory_format=switches.format)
    y = torch.randn(batch_size, CHANNELS[1], SIDE // 2, SIDE // 2, device=device)
    y = y.contiguous(memory_format=switches.format)
    if part == "cell":
        return _cell(switches, net, x, y)
    rater = Rater(space, CELL, net, memory=4 << 30)

    def rate() -> Tensor:
        with switches.autocast(device):
            return rater.distances(x, y)

    return rate


def _teacher(switches: Switches, images: Tensor) -> Callable[[], Tensor]:
    space = get_space("dna-mbconv-single")
    boundaries = align(get_teacher("tf_efficientnet_b7"), space)
    teacher = Teacher(build("tf_efficientnet_b7"), boundaries).to(images.device).to(memory_format=switches.format)
    trunk = switches.compile(teacher.trunk)

    def work() -> Tensor:
        with torch.no_grad(), switches.autocast(images.device):
            return trunk(images, len(boundaries))[-1]

    return work


def _cell(switches: Switches, net: CellSupernet, x: Tensor, y: Tensor) -> Callable[[], Tensor]:
    space = get_space("dna-mbconv-single")
    path = space.path(space.cell(CELL), space.path_count(space.cell(CELL)) // 2)
    run = switches.compile(net)

    def work() -> Tensor:
        with switches.autocast(x.device):
            output = run(x, path)
        loss = F.mse_loss(output.float(), y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    return work


def _network(switches: Switches, images: Tensor) -> Callable[[], Tensor]:
    model = network.build(published("dna-a")).to(images.device).to(memory_format=switches.format)
    labels = torch.zeros(len(images), dtype=torch.long, device=images.device)
    run = switches.compile(model)

    def work() -> Tensor:
        with switches.autocast(images.device):
            loss = F.cross_entropy(run(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    return work


def seconds(work: Callable[[], Tensor], repeats: int, device: torch.device) -> float:
    """The fastest of some repeats."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return min(times)


def bf16_ratings(run: Path, device: torch.device) -> list[list[str]]:
    """Per cell of a run folder: its paths, and how its ratings in bf16 agree with those in fp32."""
    spec = read_spec(run)
    space, refs = spec.parsed_space, spec.parsed_space.cells
    teacher = load_teacher(spec, run, device)
    raters = {
        ref: Rater(space, ref, net, memory=4 << 30) for ref, net in load_cells(spec, refs, run, teacher, device).items()
    }
    boundaries = range(len(space.blocks) + 1)
    images = load_splits(spec, device).rate
    sums = {
        (ref, bf16): torch.zeros(space.path_count(space.cell(ref)), dtype=torch.float64)
        for ref in refs
        for bf16 in (False, True)
    }
    for batch, _ in images.ordered(even_batch(len(images), spec.rating.batch_size)):
        for bf16 in (False, True):
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                maps = teacher.features(batch.contiguous(memory_format=torch.channels_last), boundaries)
                for ref, rater in raters.items():
                    sums[ref, bf16] += rater.distances(maps[ref.block - 1], maps[ref.block])
    rows = []
    for ref in refs:
        full, rounded = sums[ref, False], sums[ref, True]
        tau = kendall_tau(rounded.tolist(), full.tolist())
        rows.append([str(ref), f"{len(full):,}", f"{tau:.4f}", f"{((rounded - full) / full).abs().max().item():.1e}"])
    return rows


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cpu or cuda")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--precisions", nargs="+", choices=["fp32", "bf16"], default=["fp32", "bf16"])
    parser.add_argument("--layouts", nargs="+", choices=list(report.LAYOUTS), default=list(report.LAYOUTS))
    parser.add_argument("--compile", action="store_true", help="also compiled; the rating cannot be")
    parser.add_argument("--graphs", action="store_true", help="also as CUDA graphs; the rating cannot be")
    parser.add_argument("--batch-size", type=int, help="default: 4 on a CPU, 256 on a GPU")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", type=Path, help="a finished run folder, whose cells are rated in bf16 and in fp32")
    arguments = parser.parse_args(argv)
    device = choose_device(arguments.device)
    prepare(device)
    batch_size = arguments.batch_size or (4 if device.type == "cpu" else 256)
    runs = ["eager", *["compiled"][: arguments.compile], *["graph"][: arguments.graphs]]
    ways = [Switches(*way) for way in itertools.product(arguments.precisions, arguments.layouts, runs)]
    report.print_header("switches", device)
    rows = []
    with turns.among_others():
        works = [
            (part, way, way.capture(make_part(part, way, batch_size, device)))
            for part in arguments.parts
            for way in ways
            if part != "rating" or way.run == "eager"
        ]
        results = [work().cpu() for _, _, work in works]  # Everything once: kernels are chosen and compiled.
        with turns.alone(device):
            took = [seconds(work, arguments.repeats, device) for _, _, work in works]
    for (part, way, _), result, this in zip(works, results, took, strict=True):
        first = [part for part, _, _ in works].index(part)  # Speed-ups and taus are over the first way of a part.
        tau = f"{kendall_tau(result.tolist(), results[first].tolist()):.4f}" if part == "rating" else ""
        rows.append([part, str(way), f"{this:.4f}", f"{took[first] / this:.2f}", tau])
    report.print_table(["part", "switches", "seconds", "speed-up", "tau with fp32 ratings"], rows)
    if arguments.run:
        with turns.among_others():
            compared = bf16_ratings(arguments.run, device)
        print(f"Ratings of {arguments.run.name} in bf16 against fp32:\n")
        report.print_table(["cell", "paths", "tau", "largest relative difference"], compared)


if __name__ == "__main__":
    main()
