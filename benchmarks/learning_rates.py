"""Which learning rates are stable, and is the default among the good ones? One middling network, trained from scratch by each.

``python -m benchmarks.learning_rates DATA --out FOLDER`` trains the largest network of the space that a search on this data
would take, as the engine trains what it has chosen, with the default rate and multiples of it.
"""

from __future__ import annotations

import argparse
import io
import math
from pathlib import Path

import torch

from benchmarks import report
from benchmarks.pictures import lay_down
from dna_engine.events import Log, Metric, Reporter, _Event
from dna_engine.images.info import DIGITS
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.space.architecture import Architecture
from dna_engine.spec import ResolvedSpec, RetrainSpec, SearchSpec, TeacherSpec, resolve
from dna_engine.training import network
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits
from dna_engine.training.train import FitResult, fit


class Listener(Reporter):
    """Keeps the losses of the epochs and the warnings."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.losses: list[float] = []
        self.warnings: list[str] = []

    def emit(self, event: _Event) -> None:
        match event:
            case Metric() if event.series.endswith("/loss"):
                self.losses.append(event.y)
            case Log(level="warning"):
                self.warnings.append(event.message)


def middling(spec: ResolvedSpec) -> Architecture:
    """The deepest cells of the space with the first of its ops in every layer."""
    space = spec.parsed_space
    choices = [
        (place, [space.layer_ops(0)[0].name] * cell.depth)
        for place, cell in (max(enumerate(b.cells, start=1), key=lambda item: item[1].depth) for b in space.blocks)
    ]
    return Architecture.from_choices(space, choices, input_size=spec.input_size, num_classes=spec.dataset.num_classes)


def train(spec: ResolvedSpec, splits: Splits, rate: float, out: Path, seed: int) -> tuple[FitResult, Listener]:
    """The network trained by that rate, and what was said meanwhile."""
    listener, device = Listener(), splits.train.labels.device
    torch.manual_seed(seed)
    model = network.build(middling(spec))
    network.calm_classifier(model)
    recipe = Recipe.of(spec.retrain.model_copy(update={"learning_rate": rate, "distill": None}))
    checkpoint = out / "checkpoints" / f"{rate:g}-{seed}.safetensors"
    context = Context(run=out, device=device, reporter=listener)
    return fit(model, splits, recipe, seed=seed, context=context, checkpoint=checkpoint, part="network"), listener


def row_of(rate: float, default: float, result: FitResult, heard: Listener) -> list[str]:
    return [
        f"{rate:g}" + (" (default)" if math.isclose(rate, default) else ""),
        f"{heard.losses[0]:.2f}",
        f"{max(heard.losses):.2f}",
        f"{heard.losses[-1]:.2f}",
        f"{result.test_accuracy:.2%}",
        f"{result.test_loss:.3f}",
        "yes" if any("diverges" in warning for warning in heard.warnings) else "no",
    ]


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="digits, Fashion-MNIST's four .gz files, or a folder or zip of class folders")
    parser.add_argument("--out", type=Path, required=True, help="folder for images and checkpoints")
    parser.add_argument("--device", help="cpu or cuda:0")
    parser.add_argument("--teacher", help="the teacher whose space is taken; default: that of a search")
    parser.add_argument("--input-size", type=int)
    parser.add_argument("--epochs", type=int, help="default: that of a search")
    parser.add_argument("--multiples", type=float, nargs="+", default=[0.25, 1.0, 4.0], help="of the default rate")
    parser.add_argument("--train-images", type=int, default=1_000_000, help="at most; default: all")
    parser.add_argument("--test-images", type=int, default=5_000, help="at most")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    dataset = DIGITS
    if arguments.data != DIGITS.name:
        dataset = lay_down(
            Path(arguments.data),
            arguments.out / "images",
            train_images=arguments.train_images,
            test_images=arguments.test_images,
        )
    spec = resolve(
        SearchSpec(
            dataset=dataset.name,
            teacher=TeacherSpec(model=arguments.teacher, weights="train"),
            input_size=arguments.input_size,
            retrain=RetrainSpec(epochs=arguments.epochs),
            seed=arguments.seed,
        ),
        dataset,
    )
    splits = load_splits(spec, device)
    default = spec.retrain.learning_rate
    rows = []
    for multiple in arguments.multiples:
        rows.append(
            row_of(default * multiple, default, *train(spec, splits, default * multiple, arguments.out, spec.seed))
        )
        print("  ".join(rows[-1]), flush=True)
    report.print_header(
        f"learning rates on {dataset.name}: {dataset.num_train:,} images at {spec.input_size} pixels, "
        f"{spec.retrain.epochs} epochs of batches of {spec.retrain.batch_size}; loss of a network that knows nothing "
        f"{math.log(dataset.num_classes):.2f}",
        device,
    )
    report.print_table(
        ["rate", "loss, first epoch", "largest", "last", "test accuracy", "test log-loss", "diverged"], rows
    )


if __name__ == "__main__":
    main()
