"""Does a stronger teacher find a better network? The paper's table 3: same space, budget and data, two teachers.

``python -m benchmarks.teachers DATA --out FOLDER`` runs one search for each teacher, in its own run folder, and shows both
winners with the teachers behind them. An interrupted search goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.pictures import lay_down
from benchmarks.spaces import space_of
from dna_engine import pipeline
from dna_engine.events import Log, Reporter
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.spec import Budget, DistillSpec, RateSpec, RetrainSpec, SearchSpec, SelectSpec, TeacherSpec, resolve


class Told(Reporter):
    """Says which step runs."""

    def emit(self, event: object) -> None:
        if isinstance(event, Log):
            print(f"  {event.message}", flush=True)


def search(dataset: DatasetInfo, teacher: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The summary of one whole search in ``OUT/TEACHER``."""
    spec = resolve(
        SearchSpec(
            dataset=dataset.name,
            space=space_of(arguments.space),
            input_size=arguments.input_size,
            budget=Budget(flops=arguments.flops),
            teacher=TeacherSpec(model=teacher, weights=arguments.weights, epochs=arguments.teacher_epochs),
            training=DistillSpec(epochs=arguments.distill_epochs),
            rating=RateSpec(images=arguments.rating_images),
            select=SelectSpec(finalists=arguments.finalists),
            retrain=RetrainSpec(epochs=arguments.epochs),
            seed=arguments.seed,
        ),
        dataset,
    )
    device = choose_device(arguments.device)
    prepare(device)
    print(teacher, flush=True)
    return pipeline.run(spec, Context(run=arguments.out / teacher, device=device, reporter=Told()))


def row_of(summary: dict[str, Any]) -> list[str]:
    """A teacher and what was found with it."""
    accuracy = summary["teacher"]["test_accuracy"]
    winner, control = summary["winner"], summary["control"]
    return [
        summary["teacher"]["model"],
        "not known" if accuracy is None else f"{accuracy:.4f}",
        f"{winner['flops']:,}",
        f"{winner['params']:,}",
        f"{winner['loss']:.4f}",
        f"{winner['test_accuracy']:.4f}",
        f"{winner['test_loss']:.4f}",
        f"{control['test_accuracy']:.4f}",
        f"{control['test_loss']:.4f}",
    ]


def dataset_of(arguments: argparse.Namespace) -> DatasetInfo:
    """The digits, or what lies in ``DATA``, laid down beside the searches."""
    if arguments.data == DIGITS.name:
        return DIGITS
    return lay_down(
        Path(arguments.data),
        arguments.out / "images",
        train_images=arguments.train_images,
        test_images=arguments.test_images,
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_search_options(parser)
    parser.set_defaults(space="mbconv-small")  # The same for all teachers.
    parser.add_argument("--teachers", nargs="+", default=["resnet10t", "resnet18"])
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """What a search takes, by whatever teacher and seed."""
    parser.add_argument("data", help="digits, Fashion-MNIST's four .gz files, or a folder or zip of class folders")
    parser.add_argument("--out", type=Path, required=True, help="folder of the searches")
    parser.add_argument("--device", help="cpu or cuda:0")
    parser.add_argument("--weights", default="train", choices=["train", "pretrained"])
    parser.add_argument("--space", help="a preset, or a .json file of an explicit space; default: that of a search")
    parser.add_argument("--flops", type=int, help="budget; default: the middle of the feasible range")
    parser.add_argument("--train-images", type=int, default=10_000)
    parser.add_argument("--test-images", type=int, default=5_000)
    for name in ("input-size", "teacher-epochs", "distill-epochs", "rating-images", "finalists", "epochs"):
        parser.add_argument(f"--{name}", type=int, help="default: that of a search")


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    dataset = dataset_of(arguments)
    rows = [row_of(search(dataset, teacher, arguments)) for teacher in arguments.teachers]
    report.print_header(f"teachers on {dataset.name}", choose_device(arguments.device))
    report.print_table(
        [
            "teacher",
            "its accuracy",
            "winner: flops",
            "params",
            "rating",
            "accuracy",
            "log-loss",
            "control: accuracy",
            "log-loss",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
