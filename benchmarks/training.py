"""Training of a chosen network: the engine's own loop, against the plain loop of timm's training script.

The plain loop is the order of steps of timm's ``train_one_epoch`` (forward, loss, zero_grad, backward, step, schedule) with
timm's optimiser and scheduler on the same network and the same batches. What the engine adds (checkpoints, progress, a
check of the loss, a random stream for each step) must cost less than 5%. The two take turns; the best of each counts.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from benchmarks import report, turns
from dna_engine.events import Reporter
from dna_engine.images.info import DIGITS
from dna_engine.runtime.context import Context, choose_device, precision, prepare
from dna_engine.space import get_space
from dna_engine.space.architecture import Architecture, published
from dna_engine.training import batches, network
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, splits_of
from dna_engine.training.train import fit


def small_network(input_size: int) -> Architecture:
    """A network of ``mbconv-small``."""
    space = get_space("mbconv-small")
    choices = [(2, ["mb3_3x3"] * block.cells[1].depth) for block in space.blocks]
    return Architecture.from_choices(space, choices, input_size=input_size, num_classes=DIGITS.num_classes)


def plain_loop(model: nn.Module, images: batches.Images, recipe: Recipe, device: torch.device) -> float:
    """Training images per second."""
    model = model.to(device).to(memory_format=torch.channels_last).train()
    optimizer = recipe.make_optimizer(model)
    schedule = recipe.make_schedule(optimizer, images.steps(recipe.batch_size))
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    began, seen = time.perf_counter(), 0
    for step, (x, labels) in enumerate(
        images.batches(recipe.batch_size, epochs=math.ceil(recipe.epochs), seed=0), start=1
    ):
        with precision(device):
            loss = criterion(model(x.contiguous(memory_format=torch.channels_last)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step_update(step)
        seen += len(labels)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return seen / (time.perf_counter() - began)


def engine_loop(model: nn.Module, splits: Splits, recipe: Recipe, device: torch.device) -> float:
    """Training images per second, as the engine reports them."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "events").open("w") as events:
        context = Context(run=Path(folder), device=device, reporter=Reporter(events))
        checkpoint = context.run / "checkpoint.safetensors"
        return fit(
            model, splits, recipe, seed=0, context=context, checkpoint=checkpoint, part="winner"
        ).images_per_second


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cpu or cuda")
    parser.add_argument("--network", choices=["small", "dna-a"], help="default: small on a CPU, dna-a at 224 on a GPU")
    parser.add_argument("--input-size", type=int, help="default: 32, or 224 for dna-a")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args(argv)
    device = choose_device(arguments.device)
    prepare(device)
    small = (arguments.network or ("small" if device.type == "cpu" else "dna-a")) == "small"
    input_size = arguments.input_size or (32 if small else 224)
    architecture = small_network(input_size)
    if not small:
        architecture = published("dna-a", input_size=input_size).with_classes(DIGITS.num_classes)
    splits = splits_of(DIGITS, input_size=input_size, rating_images=128, seed=0, augment=False, device=device)
    recipe = Recipe(epochs=arguments.epochs, batch_size=arguments.batch_size, warmup_epochs=0.1)
    best = {"plain loop": 0.0, "dna_engine.training.train": 0.0}
    with turns.among_others():
        if device.type == "cuda":  # Kernels are chosen in a first run.
            plain_loop(network.build(architecture), splits.train, recipe, device)
            engine_loop(network.build(architecture), splits, recipe, device)
        with turns.alone(device):
            for _ in range(arguments.turns):
                plain = plain_loop(network.build(architecture), splits.train, recipe, device)
                engine = engine_loop(network.build(architecture), splits, recipe, device)
                best = {
                    "plain loop": max(best["plain loop"], plain),
                    "dna_engine.training.train": max(best["dna_engine.training.train"], engine),
                }
    report.print_header("training", device)
    report.print_table(
        ["loop", "images/s", "ratio"],
        [[name, f"{rate:,.1f}", f"{rate / best['plain loop']:.3f}"] for name, rate in best.items()],
    )


if __name__ == "__main__":
    main()
