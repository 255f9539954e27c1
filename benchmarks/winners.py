"""Does a search find a better network than chance does? Winner, control and teacher of whole searches, for several seeds.

``python -m benchmarks.winners DATA --out FOLDER`` runs one search for each seed, with the defaults of a search where no
option says otherwise. An interrupted search goes on where it was. A control is a random network of the winner's cost, trained by
the same recipe; each seed draws, trains and compares anew. With ``--as-long`` the control is trained once more, from scratch and from
labels alone, as one would who does not search: for as many epochs as fit into the time of the search and of the winner's training.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from typing import Any

from scipy import stats

from benchmarks import report, teachers
from benchmarks.again import once, trained_by
from dna_engine.accuracy import Accuracy, compare
from dna_engine.images.info import DatasetInfo
from dna_engine.pipeline import Journal
from dna_engine.plans import Kind, Step, files, plan_of
from dna_engine.runtime.context import Context, choose_device
from dna_engine.spec import ResolvedSpec

#: Epochs by which the time of one is measured.
PACE = 2


def search(dataset: DatasetInfo, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Teacher, winner and control of one seed: what their accuracies say, and the warnings that were given."""
    run = arguments.out / f"seed{seed}"
    once = argparse.Namespace(**{**vars(arguments), "out": run, "seed": seed})
    summary = teachers.search(dataset, arguments.teacher, once)
    journal = json.loads((run / arguments.teacher / "journal.json").read_text())
    tested = {
        name: Accuracy.model_validate(journal[key]["values"]["test"])
        for name, key in (("teacher", "teacher"), ("winner", "train-winner"), ("control", "train-control"))
    }
    return {"summary": summary, **tested}


def control_as_long(seed: int, arguments: argparse.Namespace) -> tuple[int, float]:
    """Epochs and accuracy of the control that is trained for the time of the whole search. A second of each is as fast as the other's."""
    run = arguments.out / f"seed{seed}" / arguments.teacher
    spec = ResolvedSpec.model_validate_json((run / files.SPEC).read_text())
    context = Context(run=run, device=choose_device(arguments.device), reporter=report.Silent())
    journal = Journal(run / "journal.json")
    spent = sum(entry["seconds"] for key, entry in journal.entries.items() if key in costs(spec))

    def trained(epochs: int, key: str) -> dict[str, Any]:
        asked = trained_by(spec, start="scratch", distill=None, epochs=epochs)
        return once(journal, asked, Step(key=key, kind=Kind.TRAIN, network="control"), context)

    assert spec.rating.images is not None
    images = spec.dataset.num_train - spec.rating.images
    epochs = max(1, round(spent * trained(PACE, "train-pace")["images_per_second"] / images))
    return epochs, trained(epochs, "train-as-long")["test_accuracy"]


def costs(spec: ResolvedSpec) -> set[str]:
    """Keys of the steps that a search needs, its winner's training included and the control's not."""
    return {step.key for step in plan_of(spec).all_steps() if step.kind is not Kind.TRAIN or step.network == "winner"}


def over_seeds(differences: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of the mean (Student's t, one degree of freedom less than there are seeds)."""
    reach = stats.sem(differences) * stats.t.ppf(0.975, len(differences) - 1)
    mean = statistics.fmean(differences)
    return mean - reach, mean + reach


def row_of(seed: int, found: dict[str, Any]) -> list[str]:
    apart = compare(found["winner"], found["control"])
    return [
        str(seed),
        *(_told(found[name]) for name in ("teacher", "winner", "control")),
        f"{100 * apart.difference:+.1f} [{100 * apart.interval[0]:+.1f}, {100 * apart.interval[1]:+.1f}]",
        f"{found['summary']['winner']['flops']:,}",
        f"{found['summary']['control']['flops']:,}",
        f"{sum(found['summary']['seconds'].values()):,.0f}",
    ]


def _told(tested: Accuracy) -> str:
    low, high = tested.interval
    return f"{tested.accuracy:.1%} [{100 * low:.1f}, {100 * high:.1f}]" + (f" {tested.verdict}" * bool(tested.verdict))


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    teachers.add_search_options(parser)
    parser.add_argument("--teacher", default="resnet18")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--as-long", action="store_true", help="train the control for the time of the search too")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    dataset = teachers.dataset_of(arguments)
    found = {seed: search(dataset, seed, arguments) for seed in arguments.seeds}
    report.print_header(f"winners and controls on {dataset.name}", choose_device(arguments.device))
    report.print_table(
        ["seed", "teacher", "winner", "control", "winner less control, points", "flops", "control's", "seconds"],
        [row_of(seed, each) for seed, each in found.items()],
    )
    apart = [100 * (each["winner"].accuracy - each["control"].accuracy) for each in found.values()]
    first = next(iter(found.values()))["winner"]
    print(f"Mean difference {statistics.fmean(apart):+.2f} points over {len(apart)} seeds; {first.images} test images,")
    print(f"chance {first.chance:.1%}, commonest class {first.majority:.1%}.")
    if len(apart) > 1:
        low, high = over_seeds(apart)
        print(f"95% interval of the mean over seeds: [{low:+.2f}, {high:+.2f}] points.")
    if arguments.as_long:
        for seed in arguments.seeds:
            epochs, accuracy = control_as_long(seed, arguments)
            print(f"seed {seed}: the control from scratch for as long as the search, {epochs} epochs: {accuracy:.1%}")


if __name__ == "__main__":
    main()
