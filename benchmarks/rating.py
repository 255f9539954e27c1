"""Rating every path of a cell: path by path, against prefixes computed once.

Both sides run the same cell on the same batch of 64 maps, and every path's distance is compared. By counting ops,
sharing prefixes saves 3.3 times for four layers of six ops and 4.2 times for five; on a GPU sibling prefixes also go
through an op side by side.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks import report, turns
from dna_engine.blockwise.cell import CellSupernet
from dna_engine.blockwise.rate import Rater
from dna_engine.runtime.context import choose_device, prepare
from dna_engine.space import Block, Cell, CellRef, Op, Space


@dataclass(frozen=True)
class Case:
    """A cell and the maps it is rated on: ``side`` pixels wide before the cell's stride of 2."""

    depth: int
    width: int
    channels: int
    side: int


#: On a CPU narrow cells on small maps, so that the slow side ends in minutes; on a GPU those of ``dna-mbconv``.
CASES = {
    "cpu": (Case(4, 16, 32, 8), Case(5, 16, 32, 8)),
    "cuda": (Case(4, 40, 80, 56), Case(5, 192, 384, 14)),
}


@dataclass(frozen=True)
class Measured:
    paths: int
    seconds: dict[str, float]
    evaluations: dict[str, int]
    difference: float
    peak: int


def path_by_path(net: CellSupernet, paths: Iterable[tuple[Op, ...]], x: Tensor, target: Tensor) -> Tensor:
    """Sum of |S - Y| of each path, each computed from the cell's input."""
    with torch.no_grad():
        sums = [(net(x, path).float() - target).abs_().sum((1, 2, 3)).sum(dtype=torch.float64) for path in paths]
    return torch.stack(sums).cpu()


def measure(case: Case, *, batch_size: int, memory: int, layout: torch.memory_format, device: torch.device) -> Measured:
    cell = Cell(depth=case.depth, width=case.width)
    space = Space(name="one cell", blocks=(Block(stride=1, cells=(cell,)), Block(stride=2, cells=(cell,))))
    ref = CellRef(2)
    torch.manual_seed(0)
    net = CellSupernet(space, ref, case.channels, 2 * case.channels, width="adaptors")
    net.to(device).to(memory_format=layout)
    x = torch.randn(batch_size, case.channels, case.side, case.side, device=device)
    target = torch.randn(batch_size, 2 * case.channels, case.side // 2, case.side // 2, device=device)
    x, target = (maps.contiguous(memory_format=layout) for maps in (x, target))
    rater = Rater(space, ref, net, memory=memory)
    if device.type == "cuda":
        # Kernels are chosen and memory is claimed in a first run, for lone paths in one of each op.
        print(f"First rating: {timed(lambda: rater.distances(x, target))[1]:.1f} s\n", flush=True)
        path_by_path(net, [(op,) * cell.depth for op in space.ops], x, target)
        torch.cuda.reset_peak_memory_stats()
    with turns.alone(device):
        rater.evaluations = 0
        shared, fast = timed(lambda: rater.distances(x, target))
        peak = torch.cuda.max_memory_allocated() if device.type == "cuda" else 0
        alone, slow = timed(lambda: path_by_path(net, space.paths(cell), x, target))
    paths = space.path_count(cell)
    return Measured(
        paths=paths,
        seconds={"path by path": slow, "shared": fast},
        evaluations={"path by path": paths * cell.depth, "shared": rater.evaluations},
        difference=float(((shared - alone).abs() / alone).max()),
        peak=peak,
    )


def timed(work: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """What lies in the host's memory at the end, and the seconds until it does."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cpu or cuda")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--memory-mb", type=int, default=4096, help="bound on the activations of stacked paths (GPU)")
    parser.add_argument("--layout", choices=sorted(report.LAYOUTS), default="channels_last")
    parser.add_argument("--depths", type=int, nargs="+", default=[4, 5])
    arguments = parser.parse_args(argv)
    device = choose_device(arguments.device)
    prepare(device)
    torch.set_num_threads(1)  # As the engine rates on a CPU: one core for each cell.
    rows = []
    for case in CASES[device.type]:
        if case.depth not in arguments.depths:
            continue
        with turns.among_others():
            found = measure(
                case,
                batch_size=arguments.batch_size,
                memory=arguments.memory_mb << 20,
                layout=report.LAYOUTS[arguments.layout],
                device=device,
            )
        ratio = {
            name: values["path by path"] / values["shared"]
            for name, values in vars(found).items()
            if name in ("seconds", "evaluations")
        }
        rows.append(
            [
                f"{case.depth} layers of {case.width} channels, {found.paths:,} paths",
                report.significant(found.seconds["path by path"]),
                report.significant(found.seconds["shared"]),
                report.significant(ratio["seconds"]),
                f"{ratio['evaluations']:.2f}",
                f"{found.difference:.1e}",
                f"{found.peak / 2**20:,.0f}" if found.peak else "not measured",
            ]
        )
    report.print_header("rating", device)
    report.print_table(
        [
            "cell",
            "path by path, s",
            "shared prefixes, s",
            "ratio",
            "ratio of op counts",
            "max relative difference",
            "peak MiB on the GPU",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
