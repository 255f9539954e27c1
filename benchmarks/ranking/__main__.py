"""Does a rating put networks in the order in which training puts them? DNA, SPOS, flops and params on the same networks.

``python -m benchmarks.ranking DATA --out FOLDER`` draws networks spread over all costs and as many inside a band of flops
of 3%, trains each from scratch with several seeds, and compares; with ``--inherited`` from the weights of its distilled blocks too. The supernets are trained for several numbers of steps, since
a supernet of shared weights takes longer to become one. Every unit of work leaves a file in FOLDER: run the same command again
after an interruption. See docs/benchmarks.md for how to read the result.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import report
from benchmarks.kept import keep_settings
from benchmarks.ranking import result
from benchmarks.ranking.networks import SPACE
from benchmarks.ranking.study import Settings, Study
from benchmarks.ranking.units import run
from dna_engine.runtime.context import choose_device


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    study = Study(arguments.out, settings_of(arguments))
    keep_settings(study.folder, asdict(study.settings))
    study.networks  # noqa: B018  Drawn once, before the processes start.
    waves = [study.units(), study.inherited_units()] if arguments.inherited else [study.units()]
    began = time.monotonic()
    for units in () if arguments.report else waves:
        for done, unit in run(study, units, arguments.device, arguments.jobs):
            print(f"{time.monotonic() - began:8.0f} s  {done}/{len(units)}  {unit}", flush=True)
    device = choose_device(arguments.device)
    report.print_header("ranking", device)
    result.write(study.folder, study.networks, teacher_name=study.settings.teacher)


def settings_of(arguments: argparse.Namespace) -> Settings:
    given = {name: value for name, value in vars(arguments).items() if name in Settings.__dataclass_fields__}
    space = json.loads(arguments.space.read_text()) if arguments.space else SPACE
    given["space"] = space | {"first_layer": arguments.first_layer}
    return Settings(**given)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="Fashion-MNIST's four .gz files, or a folder or zip with train/ and test/ or val/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the study")
    parser.add_argument("--device", help="cpu or cuda:0")
    parser.add_argument("--report", action="store_true", help="only show what the finished networks of --out say")
    parser.add_argument(
        "--inherited",
        action="store_true",
        help="chain the blocks too, and train all networks from the weights that they inherit: shortly, and as from scratch",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    for name, default, text in (
        ("networks", 40, "over all costs, and as many inside the band"),
        ("seeds", 2, "trainings of each network"),
        ("train-images", 20_000, ""),
        ("test-images", 10_000, ""),
        ("rating-images", 2_000, "held out for ratings, on top of the training images"),
        ("epochs", 2, "of each training"),
        ("teacher-epochs", 8, ""),
        ("batch-size", 64, ""),
        ("input-size", 16, ""),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    parser.add_argument(
        "--distill-steps",
        type=int,
        nargs="+",
        default=[624, 1_560, 3_120, 6_000, 12_000],
        help="of DNA's supernets and of SPOS's; each number is a training of both",
    )
    parser.add_argument(
        "--short-epochs", type=float, help="of a short training; default: as many as a search trains its finalists for"
    )
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument("--augment", action="store_true", help="shifts; in a few epochs they only slow learning")
    parser.add_argument("--space", type=Path, help="JSON of an explicit space; default: this study's own")
    parser.add_argument("--first-layer", choices=("nominal", "previous"), default="nominal")
    parser.add_argument("--teacher", default="resnet18")
    parser.add_argument(
        "--boundaries", nargs="*", default=["layer1", "layer2", "layer3"], help="of the teacher; none: found"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
