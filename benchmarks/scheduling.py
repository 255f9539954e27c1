"""Cells over W workers: how near the assignment comes to the bound, by simulation with measured costs.

A unit is a cell with the teacher it needs; no assignment ends before its longest unit, nor, were every unit to run the
teacher for itself, before total / W. A worker that takes several cells runs the teacher once for all of them, so the
assignment may end before the latter. The last columns compare with work that is never repeated, which no more than one
worker can reach: the teacher once, every cell once, spread evenly.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks import report
from benchmarks.distillation import Bench, prepare_bench
from dna_engine.plans import Kind
from dna_engine.runtime.context import choose_device, prepare
from worker.scheduling import Costs, assign, step_costs

WORKERS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def measured_costs(bench: Bench) -> Costs:
    """Seconds per training step: the teacher down to each block, and each cell."""
    space, images = bench.spec.parsed_space, bench.batches()[0]
    blocks = range(1, len(space.blocks) + 1)
    bench.teacher.features(images, [len(space.blocks)])
    teacher = [bench.seconds(lambda block=block: bench.teacher.features(images, [block])) for block in blocks]  # type: ignore[misc]
    return Costs(teacher, {ref: bench.students_alone([ref]) / bench.steps for ref in space.cells})


def simulate(costs: Costs, workers: int) -> tuple[float, float, float, float]:
    """Seconds until the last worker ends, both bounds, and the seconds that the assignment took to find."""
    began = time.perf_counter()
    groups = assign(costs, [1.0] * workers)
    took = time.perf_counter() - began
    units = [costs.load([cell]) for cell in costs.cells]
    bound = max(max(units), sum(units) / workers)
    once = max(max(units), costs.load(list(costs.cells)) / workers)
    return max(costs.load(group) for group in groups), bound, once, took


def rows_of(costs: Costs, counts: Sequence[int], *, scale: float) -> list[list[str]]:
    rows = []
    for workers in counts:
        end, bound, once, took = simulate(costs, workers)
        numbers = (end * scale, bound * scale, end / bound, once * scale, end / once)
        rows.append([str(workers), *(f"{number:.3f}" for number in numbers), f"{took:.2f}"])
    return rows


def unequal_rows(costs: Costs, counts: Sequence[int], *, scale: float) -> list[list[str]]:
    """Every other worker is half as fast: when the last ends where that is known, and where all are taken for equal.

    Then the groups are of one size, and the slow ones end late whichever they get: the larger go to the fast here.
    """
    rows = []
    for workers in counts:
        speeds = [1.0 if place % 2 == 0 else 0.5 for place in range(workers)]
        known = costs.end(assign(costs, speeds), speeds)
        groups = sorted(assign(costs, [1.0] * workers), key=costs.load, reverse=True)
        alike = costs.end(groups, sorted(speeds, reverse=True))
        rows.append([str(workers), f"{known * scale:.3f}", f"{alike * scale:.3f}", f"{alike / known:.2f}"])
    return rows


def modelled_rows(costs: Costs, modelled: Costs, counts: Sequence[int], *, scale: float) -> list[list[str]]:
    """When the last ends whose groups were made by what cells are said to cost, against groups made by what they cost."""
    rows = []
    for workers in counts:
        speeds = [1.0] * workers
        known = costs.end(assign(costs, speeds), speeds)
        said = costs.end(assign(modelled, speeds), speeds)
        rows.append([str(workers), f"{known * scale:.3f}", f"{said * scale:.3f}", f"{said / known:.2f}"])
    return rows


COLUMNS = ["workers", "ends", "bound", "ratio", "nothing repeated", "ratio", "found in, s"]
UNEQUAL_COLUMNS = ["workers", "ends, speeds known", "ends, taken for equal", "ratio"]
MODELLED_COLUMNS = ["workers", "ends, costs known", "ends, as a service groups them", "ratio"]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cpu or cuda")
    parser.add_argument("--teacher", default="tf_efficientnet_b7")
    parser.add_argument("--space", default="dna-mbconv")
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, help="default: 2 on a CPU, 256 on a GPU")
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS))
    arguments = parser.parse_args(argv)
    device = choose_device(arguments.device)
    prepare(device)
    bench = prepare_bench(
        arguments.space,
        teacher=arguments.teacher,
        input_size=arguments.input_size,
        batch_size=arguments.batch_size or (2 if device.type == "cpu" else 256),
        steps=1,
        device=device,
    )
    report.print_header("scheduling", device)
    print(f"Distillation of {arguments.space}, milliseconds per step as measured:\n")
    distill, rate = measured_costs(bench), step_costs(Kind.RATE, bench.spec)
    report.print_table(COLUMNS, rows_of(distill, arguments.workers, scale=1e3))
    print("The same, with groups made by what cells are said to cost before anything is measured:\n")
    modelled = step_costs(Kind.DISTILL, bench.spec)
    report.print_table(MODELLED_COLUMNS, modelled_rows(distill, modelled, arguments.workers, scale=1e3))
    print("The same, where every other worker is half as fast:\n")
    report.print_table(UNEQUAL_COLUMNS, unequal_rows(distill, arguments.workers, scale=1e3))
    print(f"Rating of {arguments.space}, by multiply-adds (billions per image):\n")
    report.print_table(COLUMNS, rows_of(rate, arguments.workers, scale=1.0))


if __name__ == "__main__":
    main()
