"""What it saves to begin a network with the weights of its distilled blocks, and to learn from the teacher's answers beside the labels.

``python -m benchmarks.inheritance DATA --out FOLDER`` makes a search up to its selection, for each seed, then trains its winner for an
eighth, a quarter, a half and all of E epochs, or as ``--shares`` says, from scratch and from its inherited blocks, without and with the
teacher's answers, by one recipe. An interrupted run goes on where it was. The test images decide nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import report
from benchmarks.again import once, trained_by
from benchmarks.spaces import space_of
from dna_engine.defaults import Start
from dna_engine.images.survey import survey
from dna_engine.pipeline import Journal
from dna_engine.plans import Kind, Phase, Step, files, plan_of
from dna_engine.plans.results import Trained
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.space import parse_space
from dna_engine.spec import AnswersSpec, ResolvedSpec, SearchSpec, resolve

#: Shares of all epochs that a network is trained for.
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class Way:
    """How a network begins, and whether it learns from the teacher's answers too."""

    start: Start
    answers: bool

    def __str__(self) -> str:
        return f"{self.start}+answers" if self.answers else self.start


WAYS = {
    str(way): way for way in (Way(start, answers) for answers in (False, True) for start in ("scratch", "inherited"))
}

Reached = dict[tuple[str, int], Trained]


def search(arguments: argparse.Namespace, seed: int) -> ResolvedSpec:
    """The search of one seed."""
    named = space_of(arguments.space)
    assert named is not None
    space = replace(parse_space(named), first_layer=arguments.first_layer)
    spec = SearchSpec.model_validate(
        {
            "dataset": str(arguments.data),
            "teacher": {"model": arguments.teacher, "weights": "train", "epochs": arguments.teacher_epochs},
            "space": space.to_json(),
            "input_size": arguments.size,
            "training": {"epochs": arguments.distillation_epochs},
            "select": {"finalists": 0},
            "retrain": {"epochs": arguments.epochs, "control": False},
            "seed": seed,
        }
    )
    return resolve(spec, survey(spec.dataset))


def study(spec: ResolvedSpec, context: Context, arguments: argparse.Namespace) -> Reached:
    """What the winner reaches, by the way and for how many epochs it was trained."""
    context.run.mkdir(parents=True, exist_ok=True)
    (context.run / files.SPEC).write_text(spec.model_dump_json())
    journal = Journal(context.run / "journal.json")
    plan = plan_of(spec)
    for phase in (Phase.TEACHER, Phase.DISTILL, Phase.RATE, Phase.SELECT):
        for step in plan.steps(phase):
            once(journal, spec, step, context)
    answers = AnswersSpec(weight=arguments.weight, temperature=arguments.temperature)
    reached = {}
    for epochs in lengths(arguments):
        for name in arguments.ways:
            way = WAYS[name]
            asked = trained_by(spec, start=way.start, epochs=epochs, distill=answers if way.answers else None)
            told = f"-{answers.weight:g}-{answers.temperature:g}" if way.answers else ""
            step = Step(key=f"train-{name}{told}-{epochs}", kind=Kind.TRAIN, network="winner")
            reached[name, epochs] = Trained.model_validate(once(journal, asked, step, context))
    return reached


def lengths(arguments: argparse.Namespace) -> list[int]:
    """Epochs that a network is trained for, ascending."""
    return sorted({max(1, round(share * arguments.epochs)) for share in arguments.shares})


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "data", type=Path, help="a folder of class folders, or of train/ and test/ with them; or digits"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--size", type=int, default=32, help="input in pixels")
    parser.add_argument("--space", default="mbconv-small", help="a preset, or a .json file")
    parser.add_argument("--teacher", default="resnet10t")
    parser.add_argument("--teacher-epochs", type=int, default=12)
    parser.add_argument("--distillation-epochs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=16, help="E")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of E; one above 1 trains longer")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument(
        "--weight", type=float, default=0.5, help="of the teacher's answers, where they are learned from"
    )
    parser.add_argument("--temperature", type=float, default=4.0, help="that they are softened by")
    parser.add_argument("--first-layer", choices=("nominal", "previous"), default="nominal")
    parser.add_argument("--device")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    found = {
        seed: study(search(arguments, seed), Context(arguments.out / f"seed{seed}", device, report.Silent()), arguments)
        for seed in arguments.seeds
    }
    report.print_header(f"inherited weights on {arguments.data.name}, first layer {arguments.first_layer}", device)
    report.print_table(
        ["seed", "epochs", *(f"{name}: accuracy, log-loss" for name in arguments.ways)],
        [
            [str(seed), str(epochs), *(_told(reached[name, epochs]) for name in arguments.ways)]
            for seed, reached in found.items()
            for epochs in lengths(arguments)
        ],
    )


def _told(reached: Trained) -> str:
    return f"{reached.test_accuracy:.1%}, {reached.test_loss:.3f}"


if __name__ == "__main__":
    main()
