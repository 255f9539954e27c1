"""What it saves to begin a network that inherits its blocks with its teacher's head, beside a new one.

``python -m benchmarks.teacher_head DATA --out FOLDER`` trains a ResNet-10t and distils one cell for each block down to its last stage, for each
seed, then trains one network of these cells for some numbers of epochs, with either head, by one recipe. The test images decide nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import report
from dna_engine import pipeline
from dna_engine.blockwise.answers import load_whole
from dna_engine.blockwise.begin import begin
from dna_engine.images.survey import survey
from dna_engine.plans import Kind, Step, files
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.runtime.cores import threads
from dna_engine.space import Block, Cell, Space, get_space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import work_per_operation
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve
from dna_engine.training.network import build, calm_classifier
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import load_splits
from dna_engine.training.train import evaluate, fit

HEADS = ("new", "teacher's")


def deeper() -> Space:
    """``mbconv-small`` with a block more, behind which a teacher has no other stage."""
    space = get_space("mbconv-small")
    last = Block(stride=2, cells=(Cell(depth=2, width=160),))
    return replace(space, name="deeper", blocks=(*space.blocks, last), head_width=1280, first_layer="nominal")


def search(arguments: argparse.Namespace, seed: int) -> ResolvedSpec:
    """The search of one seed, of which no more is done than its teacher and one cell for each block."""
    fields = {
        "dataset": str(arguments.data),
        "teacher": {"model": "resnet10t", "weights": "train", "epochs": arguments.teacher_epochs},
        "space": deeper().to_json(),
        "input_size": arguments.size,
        "training": {"epochs": arguments.distillation_epochs},
        "retrain": {"distill": {"weight": 0}},
        "seed": seed,
    }
    spec = SearchSpec.model_validate(fields)
    return resolve(spec, survey(spec.dataset))


def distill(spec: ResolvedSpec, context: Context) -> Architecture:
    """Teacher and cells, where they are not there yet; the network takes the second op of each layer."""
    cells = [f"b{number}c1" for number, _ in enumerate(spec.parsed_space.blocks, start=1)]
    for step in (Step(key="teacher", kind=Kind.TEACHER), Step(key="distill-1", kind=Kind.DISTILL, cells=cells)):
        if not all((context.run / name).exists() for name in step.outputs(spec)):
            pipeline.run_step(spec, step, context)
    space = spec.parsed_space
    choices = [(1, [space.layer_ops(layer)[1] for layer in range(block.cells[0].depth)]) for block in space.blocks]
    classes = spec.dataset.num_classes
    return Architecture.from_choices(space, choices, input_size=spec.input_size, num_classes=classes)


def reached(spec: ResolvedSpec, network: Architecture, head: str, epochs: float, context: Context) -> str:
    """Test accuracy and log-loss."""
    torch.manual_seed(spec.seed)
    model, images = build(network), load_splits(spec, context.device)
    calm_classifier(model)
    model.to(context.device)
    teacher = load_whole(context.run, network.num_classes, context.device) if head == "teacher's" else None
    recipe = Recipe.of(spec.retrain.model_copy(update={"distill": None}))
    begin(
        model,
        network,
        spec.parsed_space,
        context.run,
        images.train,
        batch_size=recipe.batch_size,
        seed=spec.seed,
        teacher=teacher,
    )
    if not epochs:
        found = evaluate(model, images.test, context.device)
        return f"{found.accuracy:.1%}, {found.loss:.3f}"
    key = f"{head[:3]}-{epochs:g}"
    trained = fit(
        model,
        images,
        recipe.lasting(epochs),
        seed=spec.seed,
        context=context,
        checkpoint=context.run / files.checkpoint(key),
        part=key,
        warn=False,
    )
    return f"{trained.test_accuracy:.1%}, {trained.test_loss:.3f}"


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "data", type=Path, help="a folder of class folders, or of train/ and test/ with them; or digits"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--size", type=int, default=64, help="input in pixels")
    parser.add_argument("--teacher-epochs", type=int, default=12)
    parser.add_argument("--distillation-epochs", type=int, default=8)
    parser.add_argument("--epochs", type=float, nargs="+", default=[0, 1, 2, 4], help="0 is before any training")
    parser.add_argument("--device")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    report.print_header(f"a teacher's head on {arguments.data.name}", device)
    rows = []
    for seed in arguments.seeds:
        spec, context = search(arguments, seed), Context(arguments.out / f"seed{seed}", device, report.Silent())
        network = distill(spec, context)
        with threads(work_per_operation(network, spec.retrain.batch_size)):
            rows += [
                [str(seed), f"{epochs:g}", *(reached(spec, network, head, epochs, context) for head in HEADS)]
                for epochs in arguments.epochs
            ]
    report.print_table(["seed", "epochs", *(f"{head} head: accuracy, log-loss" for head in HEADS)], rows)


if __name__ == "__main__":
    main()
