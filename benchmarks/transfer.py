"""Is a network that was found on some images also good on others, and is it worth its weights there? The article's table 2.

``python -m benchmarks.transfer DATA_A DATA_B --out FOLDER`` searches on A for each seed and trains the found network and its control, a
random one of its cost, there; then it trains both on B, from scratch and from their weights, for as many epochs. ``--factors`` tries other
learning rates of the layers before the classifier, which is always new, as shares of that of the classifier. An interrupted run goes on where it was. The test
images decide nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

from benchmarks import report
from benchmarks.again import once
from benchmarks.kept import keep_settings
from benchmarks.spaces import space_of
from dna_engine.accuracy import compare
from dna_engine.images.info import DatasetInfo
from dna_engine.images.survey import survey
from dna_engine.pipeline import Journal
from dna_engine.plans import Phase, files, plan_of
from dna_engine.plans.results import Trained
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.space.architecture import Architecture
from dna_engine.spec import GivenWeights, ResolvedJob, ResolvedSpec, SearchSpec, TrainingSpec, resolve, resolve_training

NETWORKS = {"winner": "found", "control": "control"}

#: Of a network on B, by how it began there.
Reached = dict[str, Trained]


def search(dataset: DatasetInfo, seed: int, arguments: argparse.Namespace) -> ResolvedSpec:
    """The search of one seed on A."""
    asked = {
        "dataset": dataset.name,
        "teacher": {"model": arguments.teacher, "weights": "train", "epochs": arguments.teacher_epochs},
        "space": space_of(arguments.space),
        "input_size": arguments.size,
        "training": {"epochs": arguments.distillation_epochs},
        "select": {"finalists": arguments.finalists},
        "retrain": {"recipe": "quick", "epochs": arguments.epochs},
        "seed": seed,
    }
    return resolve(SearchSpec.model_validate(asked), dataset)


def found_on(spec: ResolvedSpec, context: Context) -> dict[str, Trained]:
    """Both networks as they are trained on A."""
    journal, plan = begun(spec, context), plan_of(spec)
    *before, training = plan.phases[: plan.phases.index(Phase.TRAIN) + 1]
    for phase in before:
        for step in plan.steps(phase):
            once(journal, spec, step, context)
    steps = {step.network or "": step for step in plan.steps(training)}
    return {name: Trained.model_validate(once(journal, spec, steps[name], context)) for name in NETWORKS}


def begun(spec: ResolvedJob, context: Context) -> Journal:
    context.run.mkdir(parents=True, exist_ok=True)
    (context.run / files.SPEC).write_text(spec.model_dump_json())
    return Journal(context.run / "journal.json")


def on_b(
    source: Context, network: str, before: DatasetInfo, after: DatasetInfo, seed: int, arguments: argparse.Namespace
) -> Reached:
    """What a network of A reaches on B: from scratch, and from its weights with each share of the learning rate before the classifier."""
    folder = source.run / network
    described = json.loads((folder / files.ARCHITECTURE).read_text())
    weights = GivenWeights(
        training=network,
        architecture=described,
        dataset=before,
        sha256=hashlib.sha256((folder / files.WEIGHTS).read_bytes()).hexdigest(),
    )
    reached = {}
    for way, fields in ways(arguments).items():
        started = {"start": {"training": network, "head": "new"}} if fields else {"architecture": network}
        recipe = {"recipe": "quick", "epochs": arguments.then_epochs, "seed": seed}
        asked = TrainingSpec.model_validate({"dataset": after.name} | started | recipe)
        given = weights if fields else None
        spec = resolve_training(asked, Architecture.from_json(described), after, None, given)
        if share := fields.get("share"):
            spec = spec.model_copy(update={"backbone_learning_rate": share * spec.learning_rate})
        context = Context(
            source.run / after.name / f"{network}-{way}".replace(" ", "-"), source.device, source.reporter
        )
        journal = begun(spec, context)
        if fields:
            shutil.copy(folder / files.WEIGHTS, context.run / files.START)
        [step] = plan_of(spec).steps(Phase.TRAIN)
        reached[way] = Trained.model_validate(once(journal, spec, step, context))
    return reached


def ways(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """By name: from scratch has no fields, all others begin with the weights."""
    return {"scratch": {}} | {f"transferred, rate x {share:g}": {"share": share} for share in arguments.factors}


def rows_of(seed: int, trained: dict[str, Trained], reached: dict[str, Reached]) -> list[list[str]]:
    rows = []
    for network, called in NETWORKS.items():
        scratch, *others = reached[network].values()
        rows.append([str(seed), called, f"{trained[network].predicted.flops:,}", told(trained[network]), told(scratch)])
        rows[-1] += [f"{told(other)}, {gain(other, scratch)}" for other in others]
    return rows


def told(reached: Trained) -> str:
    return f"{reached.test_accuracy:.1%} ({reached.test_loss:.3f})"


def gain(transferred: Trained, scratch: Trained) -> str:
    """Points over the training from scratch, with their 95% interval."""
    assert transferred.test is not None
    assert scratch.test is not None
    apart = compare(transferred.test, scratch.test)
    return f"{100 * apart.difference:+.1f} [{100 * apart.interval[0]:+.1f}, {100 * apart.interval[1]:+.1f}]"


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_a", help="digits, or a folder of class folders, or of train/ and test/ with them")
    parser.add_argument("data_b", help="the same; where the networks are trained again")
    parser.add_argument("--out", type=Path, required=True, help="folder of the study")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--size", type=int, default=32, help="input in pixels, on A and on B")
    parser.add_argument("--space", default="mbconv-small", help="a preset, or a .json file")
    parser.add_argument(
        "--finalists", type=int, default=8, help="networks of the search that are trained for a short time"
    )
    parser.add_argument("--teacher", default="resnet10t")
    parser.add_argument("--teacher-epochs", type=int, default=12)
    parser.add_argument("--distillation-epochs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=16, help="of both networks on A")
    parser.add_argument("--then-epochs", type=int, default=16, help="of both on B")
    parser.add_argument(
        "--factors", type=float, nargs="+", default=[1.0], help="rates before the classifier, over its own"
    )
    parser.add_argument("--device")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    prepare(device)
    before, after = survey(arguments.data_a), survey(arguments.data_b)
    names = (
        "data_a",
        "size",
        "space",
        "finalists",
        "teacher",
        "teacher_epochs",
        "distillation_epochs",
        "epochs",
        "then_epochs",
    )
    keep_settings(arguments.out, {name: getattr(arguments, name) for name in names})
    rows = []
    for seed in arguments.seeds:
        context = Context(arguments.out / f"seed{seed}", device, report.Silent())
        trained = found_on(search(before, seed, arguments), context)
        reached = {name: on_b(context, name, before, after, seed, arguments) for name in NETWORKS}
        rows += rows_of(seed, trained, reached)
    report.print_header(f"found on {before.name}, trained on {after.name}", device)
    report.print_table(
        ["seed", "network", "flops", f"on {before.name}", *(f"on {after.name}, {way}" for way in ways(arguments))], rows
    )
    print(f"Accuracy (log-loss) on the test images; on {after.name} points over scratch with their 95% interval.")


if __name__ == "__main__":
    main()
