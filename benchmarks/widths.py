"""How wide must a cell be to follow its teacher, so that its ratings tell one path from another?

``python -m benchmarks.widths DATA --out FOLDER`` trains a teacher, distils cells of several widths in its middle blocks twice
(two seeds: other first weights, paths, batches, held-out images) and shows, for each width, how far apart the ratings of a
cell's paths lie, and Kendall's tau between the two seeds: ratings that say something say it again.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.agreement import kendall_tau
from benchmarks.pictures import lay_down
from benchmarks.teachers import Told
from dna_engine.catalogue import get_teacher
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.pipeline import run_step
from dna_engine.plans import Kind, Step
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.space import CellRef
from dna_engine.spec import DistillSpec, ResolvedSpec, RetrainSpec, SearchSpec, TeacherSpec, resolve


def space_of(teacher: str, shares: list[float]) -> dict[str, Any]:
    """Cells of two layers in the second and third block of a teacher, one of each share of its channels; one cell elsewhere."""
    blocks = []
    for number, block in enumerate(get_teacher(teacher).blocks, start=1):
        tried = shares if number in (2, 3) else [0.5]
        widths = [8 * math.ceil(share * block.channels / 8) for share in tried]
        cells = [{"depth": 2 if number in (2, 3) else 1, "width": width} for width in widths]
        blocks.append({"stride": 2, "cells": cells})
    return {"name": "widths", "blocks": blocks, "stem_width": 16, "first_width": 16, "head_width": 128}


def spec_of(dataset: DatasetInfo, arguments: argparse.Namespace, seed: int) -> ResolvedSpec:
    return resolve(
        SearchSpec(
            dataset=dataset.name,
            teacher=TeacherSpec(model=arguments.teacher, weights="train", epochs=arguments.teacher_epochs),
            space=space_of(arguments.teacher, arguments.shares),
            input_size=arguments.input_size,
            training=DistillSpec(epochs=arguments.distill_epochs),
            retrain=RetrainSpec(control=False),
            seed=seed,
        ),
        dataset,
    )


def ratings(spec: ResolvedSpec, run: Path, arguments: argparse.Namespace) -> dict[CellRef, list[float]]:
    """The ratings of the cells of blocks 2 and 3; what lies in the folder already is not done again."""
    refs = [ref for ref in spec.parsed_space.cells if ref.block in (2, 3)]
    context = Context(run=run, device=choose_device(arguments.device), reporter=Told())
    for kind in (Kind.TEACHER, Kind.DISTILL, Kind.RATE):
        step = Step(key=str(kind), kind=kind, cells=[] if kind == Kind.TEACHER else [str(ref) for ref in refs])
        if not all((run / name).exists() for name in step.outputs(spec)):
            run_step(spec, step, context)
    return {ref: json.loads((run / f"ratings/{ref}.json").read_text())["losses"] for ref in refs}


def both_seeds(dataset: DatasetInfo, arguments: argparse.Namespace) -> list[dict[CellRef, list[float]]]:
    """By the same teacher."""
    first, second = arguments.out / "seed0", arguments.out / "seed1"
    found = [ratings(spec_of(dataset, arguments, 0), first, arguments)]
    second.mkdir(exist_ok=True)
    for name in ("teacher.safetensors", "teacher.json"):
        shutil.copy(first / name, second / name)
    return [*found, ratings(spec_of(dataset, arguments, 1), second, arguments)]


def row_of(ref: CellRef, spec: ResolvedSpec, arguments: argparse.Namespace, pair: list[list[float]]) -> list[str]:
    channels = get_teacher(arguments.teacher).blocks[ref.block - 1].channels
    width = spec.parsed_space.cell(ref).width
    spread = (max(pair[0]) - min(pair[0])) / min(pair[0])
    return [
        str(ref.block),
        f"{width} of {channels} ({width / channels:.2f})",
        f"{min(pair[0]):.4f}",
        f"{spread:.1%}",
        f"{kendall_tau(*pair):.2f}",
    ]


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="digits, Fashion-MNIST's four .gz files, or a folder or zip of class folders")
    parser.add_argument("--out", type=Path, required=True, help="folder of images, teacher and cells")
    parser.add_argument("--device", help="cpu or cuda:0")
    parser.add_argument("--teacher", default="resnet18")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.19, 0.25, 0.3125, 0.375, 0.5, 0.75])
    parser.add_argument("--train-images", type=int, default=1_000_000, help="at most; default: all")
    for name in ("input-size", "teacher-epochs", "distill-epochs"):
        parser.add_argument(f"--{name}", type=int, help="default: that of a search")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    dataset = DIGITS
    if arguments.data != DIGITS.name:
        dataset = lay_down(
            Path(arguments.data), arguments.out / "images", train_images=arguments.train_images, test_images=1_000
        )
    pairs = both_seeds(dataset, arguments)
    spec = spec_of(dataset, arguments, 0)
    accuracy = json.loads((arguments.out / "seed0/teacher.json").read_text())["accuracy"]
    report.print_header(
        f"widths of cells behind {arguments.teacher} ({accuracy:.1%} on {dataset.name}), {spec.input_size} pixels, "
        f"{spec.training.epochs} epochs of distillation",
        device,
    )
    report.print_table(
        ["block", "width", "best rating", "worst path above best", "tau between seeds"],
        [row_of(ref, spec, arguments, [pair[ref] for pair in pairs]) for ref in pairs[0]],
    )


if __name__ == "__main__":
    main()
