"""What the export of a network costs, by part: with what is not needed, as it was once done, and as the engine does it.

Baseline: every split of the images is decoded where the test images are wanted, and operations take every core. The images are
noise as JPEG files of 500 by 375 pixels, a size that photos on the web have.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks import report
from benchmarks.spaces import space_of
from dna_engine.export import export
from dna_engine.export.onnx_file import BATCH, write_onnx
from dna_engine.images.info import DatasetInfo
from dna_engine.runtime.context import prepare
from dna_engine.runtime.cores import threads
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import work_per_operation
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve
from dna_engine.training.network import build
from dna_engine.training.splits import load_splits

CPU = torch.device("cpu")
CLASSES = 5


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("export", CPU)
    prepare(CPU)
    with tempfile.TemporaryDirectory() as folder:
        spec = photos(Path(folder), arguments)
        network = some_network(spec)
        model = build(network).eval()
        images, _ = export.test_images(spec)
        work = work_per_operation(network, BATCH)
        write_onnx(model, images[:2], Path(folder) / "model.onnx")  # The first time loads the exporter.
        parts: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "read the test images": (lambda: every_split(spec), lambda: export.test_images(spec)),
            "answer them by torch": (
                lambda: export.answer(model, images),
                lambda: on_threads(work, lambda: export.answer(model, images)),
            ),
        }
        report.print_table(["part", "before, s", "engine, s", "ratio"], rows(parts))
        seconds = timed(lambda: write_onnx(model, images[:2], Path(folder) / "model.onnx"))
        print(f"Writing ONNX takes {seconds:.2f} s, on one thread.")


def rows(parts: dict[str, tuple[Callable[[], object], Callable[[], object]]]) -> Iterator[list[str]]:
    for name, (before, after) in parts.items():
        old, new = timed(before), timed(after)
        yield [name, *(report.significant(figure) for figure in (old, new, old / new))]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def on_threads(work: float, then: Callable[[], object]) -> object:
    with threads(work):
        return then()


def every_split(spec: ResolvedSpec) -> object:
    splits = load_splits(spec, CPU)
    return splits.train, splits.rate, splits.test


def some_network(spec: ResolvedSpec) -> Architecture:
    """The first path of every block's first cell."""
    space = spec.parsed_space
    choices = [(1, space.path(block.cells[0], 0)) for block in space.blocks]
    return Architecture.from_choices(space, choices, input_size=spec.input_size, num_classes=CLASSES)


def photos(folder: Path, arguments: argparse.Namespace) -> ResolvedSpec:
    """A search on ``arguments.images`` generated photos, a fifth of them test images."""
    rng = np.random.default_rng(0)
    for number in range(arguments.images):
        split = "test" if number // CLASSES % 5 == 0 else "train"
        file = folder / "photos" / split / f"class{number % CLASSES}" / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        small = rng.integers(0, 256, (47, 63, 3), dtype=np.uint8)
        Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC).save(file, quality=90)
    tested = sum(number // CLASSES % 5 == 0 for number in range(arguments.images))
    dataset = DatasetInfo(
        name="photos",
        kind="folder",
        location=str(folder / "photos"),
        num_classes=CLASSES,
        num_train=arguments.images - tested,
        num_test=tested,
        image_size=375,
    )
    return resolve(
        SearchSpec.model_validate(
            {
                "dataset": "photos",
                "space": space_of(arguments.space),
                "input_size": arguments.input_size,
                "teacher": {"weights": "train"},
            }
        ),
        dataset,
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2500)
    parser.add_argument(
        "--space", help="a preset, or a .json file, whose first paths are exported; default: that of a search"
    )
    parser.add_argument("--input-size", type=int, default=64)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
