"""What does it cost to count a block's first layer from the nominal width? The same networks, built both ways, trained from scratch.

``python -m benchmarks.first_layers DATA --out FOLDER`` draws networks of ``mbconv-small`` whose first block ends wider than the nominal
width, which is where the two differ, and trains each by the recipe of a search. A network that is trained is not trained again.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch

from benchmarks import report
from benchmarks.macro.study import written
from dna_engine.errors import DataError
from dna_engine.images.survey import survey
from dna_engine.jsonfile import read_object
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.space import Space, get_space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.space.space import FirstLayer
from dna_engine.spec import SearchSpec, resolve
from dna_engine.training import network
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits
from dna_engine.training.train import fit

WAYS: tuple[FirstLayer, ...] = get_args(FirstLayer)
#: Cell of the first block of ``mbconv-small`` that is wider than the nominal width.
WIDER = 2


def drawn(space: Space, count: int) -> Iterator[list[tuple[int, Any]]]:
    """Choices of so many networks."""
    rng = random.Random(0)
    for _ in range(count):
        choices = []
        for number, block in enumerate(space.blocks, start=1):
            place = WIDER if number == 1 else rng.randint(1, len(block.cells))
            cell = block.cells[place - 1]
            choices.append((place, space.path(cell, rng.randrange(space.path_count(cell)))))
        yield choices


def trained(architecture: Architecture, splits: Splits, epochs: int, seed: int, context: Context) -> dict[str, Any]:
    """What it reaches on the test images."""
    torch.manual_seed(seed)
    model = network.build(architecture)
    network.calm_classifier(model)
    recipe = Recipe(epochs=epochs, warmup_epochs=epochs / 10)
    file = context.run / "checkpoint.safetensors"
    fitted = fit(model, splits, recipe, seed=seed, context=context, checkpoint=file, part="network")
    checkpoint.remove(file)
    return {"accuracy": fitted.test_accuracy, "log_loss": fitted.test_loss}


def pairs(arguments: argparse.Namespace, context: Context) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Flops and what was reached, built each way, of every network and seed."""
    spec = resolve(SearchSpec(dataset=str(arguments.data), input_size=arguments.size), survey(str(arguments.data)))
    spaces = [replace(get_space("mbconv-small"), first_layer=way) for way in WAYS]
    splits = load_splits(spec, context.device)
    for number, choices in enumerate(drawn(spaces[0], arguments.networks)):
        built = [
            Architecture.from_choices(space, choices, input_size=arguments.size, num_classes=spec.dataset.num_classes)
            for space in spaces
        ]
        for seed in arguments.seeds:
            pair = []
            for way, architecture in zip(WAYS, built, strict=True):
                file = context.run / f"{number}-{seed}-{way}.json"
                written(file, lambda a=architecture, s=seed: trained(a, splits, arguments.epochs, s, context))  # type: ignore[misc]
                pair.append((architecture_cost(architecture).flops, read_object(file, DataError)))
            print(f"network {number}, seed {seed}: {pair}", flush=True)
            yield pair


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a folder of train/ and test/ with class folders")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--size", type=int, default=32, help="input in pixels")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--device", help="cpu or cuda:0")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = list(pairs(arguments, Context(arguments.out, device, report.Silent())))
    report.print_header(f"first layers on {arguments.data.name}, {arguments.epochs} epochs from scratch", device)
    report.print_table(
        ["first layer", "accuracy", "log-loss", "multiply-adds"],
        [
            [
                way,
                f"{statistics.fmean(pair[place][1]['accuracy'] for pair in found):.1%}",
                f"{statistics.fmean(pair[place][1]['log_loss'] for pair in found):.3f}",
                f"{statistics.fmean(pair[place][0] for pair in found):,.0f}",
            ]
            for place, way in enumerate(WAYS)
        ],
    )
    apart = [100 * (pair[1][1]["accuracy"] - pair[0][1]["accuracy"]) for pair in found]
    error = statistics.stdev(apart) / len(apart) ** 0.5 if len(apart) > 1 else float("nan")
    print(
        f"{WAYS[1]} less {WAYS[0]}: {statistics.fmean(apart):+.2f} points, standard error {error:.2f}, {len(apart)} pairs."
    )


if __name__ == "__main__":
    main()
