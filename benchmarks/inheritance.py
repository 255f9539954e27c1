"""What it saves to begin a network with the weights of its distilled blocks.

``python -m benchmarks.inheritance DATA --out FOLDER`` makes a search up to its selection, for each seed, then trains its winner for an
eighth, a quarter, a half and all of E epochs, from scratch and from its inherited blocks, by one recipe. An interrupted run goes on
where it was. The test images decide nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from dna_engine import pipeline
from dna_engine.events import Reporter
from dna_engine.images.survey import survey
from dna_engine.pipeline import Journal
from dna_engine.plans import Kind, Phase, Step, files, plan_of
from dna_engine.plans.results import Trained
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.space import get_space
from dna_engine.spec import ResolvedSpec, SearchSpec, resolve

#: Shares of all epochs that a network is trained for.
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
STARTS = ("scratch", "inherited")

Reached = dict[tuple[str, int], Trained]


class Silent(Reporter):
    """Says nothing; the journal keeps what was found."""

    def emit(self, event: object) -> None: ...


def search(arguments: argparse.Namespace, seed: int) -> ResolvedSpec:
    """The search of one seed."""
    space = replace(get_space("mbconv-small"), first_layer=arguments.first_layer)
    spec = SearchSpec.model_validate(
        {
            "dataset": str(arguments.data),
            "teacher": {"model": arguments.teacher, "weights": "train", "epochs": arguments.teacher_epochs},
            "space": space.to_json(),
            "input_size": arguments.size,
            "training": {"epochs": arguments.distillation_epochs},
            "retrain": {"epochs": arguments.epochs, "control": False},
            "seed": seed,
        }
    )
    return resolve(spec, survey(spec.dataset))


def study(spec: ResolvedSpec, context: Context) -> Reached:
    """What the winner reaches, by how it began and for how many epochs it was trained."""
    context.run.mkdir(parents=True, exist_ok=True)
    (context.run / files.SPEC).write_text(spec.model_dump_json())
    journal = Journal(context.run / "journal.json")
    plan = plan_of(spec)
    for phase in (Phase.TEACHER, Phase.DISTILL, Phase.RATE, Phase.SELECT):
        for step in plan.steps(phase):
            _once(journal, spec, step, context)
    reached = {}
    for start, epochs in trainings(spec.retrain.epochs):
        asked = spec.model_copy(update={"retrain": spec.retrain.model_copy(update={"start": start, "epochs": epochs})})
        step = Step(key=f"train-{start}-{epochs}", kind=Kind.TRAIN, network="winner")
        reached[start, epochs] = Trained.model_validate(_once(journal, asked, step, context))
    return reached


def trainings(epochs: int) -> Iterator[tuple[str, int]]:
    """Each start with each number of epochs."""
    for share in SHARES:
        for start in STARTS:
            yield start, max(1, round(share * epochs))


def _once(journal: Journal, spec: ResolvedSpec, step: Step, context: Context) -> dict[str, object]:
    if not journal.has(step, spec):
        result = pipeline.run_step(spec, step, context)
        journal.add(step, result, 0.0)
        print(f"{context.run.name}: {step.key} {json.dumps(result.values)[:120]}", flush=True)
    return journal.values(step)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "data", type=Path, help="a folder of class folders, or of train/ and test/ with them; or digits"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--size", type=int, default=32, help="input in pixels")
    parser.add_argument("--teacher", default="resnet10t")
    parser.add_argument("--teacher-epochs", type=int, default=12)
    parser.add_argument("--distillation-epochs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=16, help="E")
    parser.add_argument("--first-layer", choices=("nominal", "previous"), default="nominal")
    parser.add_argument("--device")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    found = [
        study(search(arguments, seed), Context(arguments.out / f"seed{seed}", device, Silent()))
        for seed in arguments.seeds
    ]
    report.print_header(f"inherited weights on {arguments.data.name}, first layer {arguments.first_layer}", device)
    report.print_table(
        ["epochs", *(f"{start}: accuracy, log-loss of seed {seed}" for seed in arguments.seeds for start in STARTS)],
        [
            [str(epochs), *(_told(reached[start, epochs]) for reached in found for start in STARTS)]
            for epochs in sorted({epochs for _, epochs in trainings(arguments.epochs)})
        ],
    )


def _told(reached: Trained) -> str:
    return f"{reached.test_accuracy:.1%}, {reached.test_loss:.3f}"


if __name__ == "__main__":
    main()
