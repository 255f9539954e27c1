"""Does a search find a better network than chance does? Winner, control and teacher of whole searches, for several seeds.

``python -m benchmarks.winners DATA --out FOLDER`` runs one search for each seed, with the defaults of a search where no
option says otherwise. An interrupted search goes on where it was. A control is a random network of the winner's cost, trained by
the same recipe; each seed draws, trains and compares anew.
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import Any

from benchmarks import report, teachers
from dna_engine.accuracy import Accuracy, compare
from dna_engine.images.info import DatasetInfo
from dna_engine.runtime.context import choose_device


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


if __name__ == "__main__":
    main()
