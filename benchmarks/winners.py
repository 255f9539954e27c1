"""Does a search find a better network than chance does? Winner, control and teacher of whole searches, for several seeds.

``python -m benchmarks.winners DATA --out FOLDER`` runs one search for each seed, with the defaults of a search where no
option says otherwise. An interrupted search goes on where it was. A control is a random network of the winner's cost, trained by
the same recipe; each seed draws, trains and compares anew. With ``--scratch`` both are trained once more, from scratch and from labels
alone, and compared so too. With ``--as-long`` the control is trained once more, from scratch and from
labels alone, as one would who does not search: for as many epochs as fit into the time of the search and of the winner's training.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from scipy import stats

from benchmarks import report, teachers
from benchmarks.again import once, trained_by
from dna_engine.accuracy import Accuracy, compare
from dna_engine.images.info import DatasetInfo
from dna_engine.pipeline import Journal
from dna_engine.plans import Kind, Step, files, plan_of
from dna_engine.plans.results import Trained
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


@dataclass(frozen=True)
class Again:
    """The networks of a finished search, trained once more from scratch and from labels alone."""

    run: Path
    device: torch.device

    @cached_property
    def spec(self) -> ResolvedSpec:
        return ResolvedSpec.model_validate_json((self.run / files.SPEC).read_text())

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.run / "journal.json")

    def trained(self, network: str, key: str, epochs: int | None = None) -> Trained:
        """What the network comes to; by default after as many epochs as in its search."""
        spec = trained_by(self.spec, start="scratch", distill=None, epochs=epochs or self.spec.retrain.epochs)
        context = Context(run=self.run, device=self.device, reporter=report.Silent())
        step = Step(key=key, kind=Kind.TRAIN, network=network)
        return Trained.model_validate(once(self.journal, spec, step, context))

    def both(self) -> dict[str, Accuracy]:
        return {name: self._tested(name) for name in ("winner", "control")}

    def _tested(self, network: str) -> Accuracy:
        test = self.trained(network, f"train-{network}-scratch").test
        assert test is not None
        return test

    def control_as_long(self) -> tuple[int, float]:
        """Epochs and accuracy of the control that is trained for the time of the whole search. A second of each is as fast as the other's."""
        spent = sum(entry["seconds"] for key, entry in self.journal.entries.items() if key in costs(self.spec))
        assert self.spec.rating.images is not None
        images = self.spec.dataset.num_train - self.spec.rating.images
        epochs = max(1, round(spent * self.trained("control", "train-pace", PACE).images_per_second / images))
        return epochs, self.trained("control", "train-as-long", epochs).test_accuracy


def costs(spec: ResolvedSpec) -> set[str]:
    """Keys of the steps that a search needs, its winner's training included and the control's not."""
    return {step.key for step in plan_of(spec).all_steps() if step.kind is not Kind.TRAIN or step.network == "winner"}


def over_seeds(differences: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of the mean (Student's t, one degree of freedom less than there are seeds)."""
    reach = stats.sem(differences) * stats.t.ppf(0.975, len(differences) - 1)
    mean = statistics.fmean(differences)
    return mean - reach, mean + reach


def row_of(seed: int, found: dict[str, Any]) -> list[str]:
    return [
        str(seed),
        *(_told(found[name]) for name in ("teacher", "winner", "control")),
        _apart(found["winner"], found["control"]),
        f"{found['summary']['winner']['flops']:,}",
        f"{found['summary']['control']['flops']:,}",
        f"{sum(found['summary']['seconds'].values()):,.0f}",
    ]


def show_from_scratch(found: dict[int, dict[str, Accuracy]]) -> None:
    report.print_table(
        ["seed, both from scratch", "winner", "control", "winner less control, points"],
        [
            [str(seed), _told(both["winner"]), _told(both["control"]), _apart(both["winner"], both["control"])]
            for seed, both in found.items()
        ],
    )
    show_mean([both["winner"].accuracy - both["control"].accuracy for both in found.values()])


def show_mean(differences: Sequence[float]) -> None:
    """Of shares of the test images, one for each seed."""
    points = [100 * difference for difference in differences]
    print(f"Mean difference {statistics.fmean(points):+.2f} points over {len(points)} seeds.")
    if len(points) > 1:
        low, high = over_seeds(points)
        print(f"95% interval of the mean over seeds: [{low:+.2f}, {high:+.2f}] points.")


def _apart(winner: Accuracy, control: Accuracy) -> str:
    apart = compare(winner, control)
    return f"{100 * apart.difference:+.1f} [{100 * apart.interval[0]:+.1f}, {100 * apart.interval[1]:+.1f}]"


def _told(tested: Accuracy) -> str:
    low, high = tested.interval
    return f"{tested.accuracy:.1%} [{100 * low:.1f}, {100 * high:.1f}]" + (f" {tested.verdict}" * bool(tested.verdict))


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    teachers.add_search_options(parser)
    parser.add_argument("--teacher", default="resnet18")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--scratch", action="store_true", help="train and compare both from scratch too")
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
    first = next(iter(found.values()))["winner"]
    print(f"{first.images} test images, chance {first.chance:.1%}, commonest class {first.majority:.1%}.")
    show_mean([each["winner"].accuracy - each["control"].accuracy for each in found.values()])
    device = choose_device(arguments.device)
    again = {seed: Again(arguments.out / f"seed{seed}" / arguments.teacher, device) for seed in arguments.seeds}
    if arguments.scratch:
        show_from_scratch({seed: each.both() for seed, each in again.items()})
    for seed, each in again.items() if arguments.as_long else ():
        epochs, accuracy = each.control_as_long()
        print(f"seed {seed}: the control from scratch for as long as the search, {epochs} epochs: {accuracy:.1%}")


if __name__ == "__main__":
    main()
