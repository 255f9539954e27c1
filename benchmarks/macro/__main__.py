"""How well do blockwise ratings order networks of known accuracy, and what would they pick? On NAS-Bench-Macro.

``python -m benchmarks.macro DATA --truth FILE --out FOLDER`` trains a small teacher on CIFAR-10, distils the three blocks of
the space behind it, and scores all 6,561 networks: by the sum of their blocks' ratings, by chaining the blocks, and by a
network of shared weights (SPOS) that had as many steps. Some networks are trained for a short time from inherited weights. Then
all of it is held against the accuracies of FILE, which has no part in any score but says which networks are trained shortly.

Every unit of work leaves a file in FOLDER: run the same command again after an interruption, or with longer ``--steps``.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import report
from benchmarks.kept import keep_settings
from benchmarks.macro.result import Result, write_scores
from benchmarks.macro.short import finalists, sample, train_shortly
from benchmarks.macro.study import Settings, Study
from benchmarks.macro.truth import Truth
from benchmarks.macro.units import Unit, processes, run
from dna_engine.runtime.context import choose_device


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    study, truth = (
        Study(arguments.out, settings_of(arguments), choose_device(arguments.device)),
        Truth.read(arguments.truth),
    )
    keep_settings(study.folder, asdict(study.settings))
    study.dataset  # noqa: B018  Laid down once, before the processes start.
    if not arguments.report:
        with processes(arguments.jobs) as pool:
            run(study, scoring(arguments.teacher_seeds, arguments.steps), pool)
            run(study, short_trainings(study, truth, arguments), pool)
    write_scores(study, arguments.teacher_seeds[0], arguments.steps[-1])
    report.print_header("macro", study.device)
    Result(
        study,
        truth,
        arguments.teacher_seeds,
        arguments.steps,
        sampled=arguments.sample,
        finalists=arguments.finalists,
        weights=arguments.weights,
    ).show()


def scoring(seeds: Sequence[int], steps: Sequence[int]) -> Iterator[Unit]:
    """The supernets at every length."""
    for seed in seeds:
        yield f"blocks behind teacher {seed}", functools.partial(Study.score_distilled, seed=seed, steps=steps)
    yield "SPOS", functools.partial(Study.score_shared, steps=steps)


def short_trainings(study: Study, truth: Truth, arguments: argparse.Namespace) -> Iterator[Unit]:
    """Of finalists and drawn networks, behind every teacher at the last length."""
    for seed in arguments.teacher_seeds:
        steps = arguments.steps[-1]
        scored = truth.of(study.scored(seed, steps))
        names = [
            name
            for budget in truth.budgets
            for by_chaining in (False, True)
            for name in finalists(truth, scored, budget, arguments.finalists, by_chaining=by_chaining)
        ]
        for name in dict.fromkeys([*names, *sample(truth, arguments.sample)]):
            yield (
                f"{name} behind teacher {seed}",
                functools.partial(train_shortly, seed=seed, steps=steps, network=name),
            )


# --- the command


def settings_of(arguments: argparse.Namespace) -> Settings:
    return Settings(**{name: value for name, value in vars(arguments).items() if name in Settings.__dataclass_fields__})


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="CIFAR-10 as a folder or zip with train/ and test/")
    parser.add_argument("--truth", type=Path, required=True, help="accuracies of networks of NAS-Bench-Macro, as JSON")
    parser.add_argument("--out", type=Path, required=True, help="folder of the study")
    parser.add_argument("--device", help="cpu or cuda:0")
    parser.add_argument("--report", action="store_true", help="only show what is done")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument(
        "--steps", type=int, nargs="+", default=[800, 2_400], help="of distillation and SPOS, ascending"
    )
    parser.add_argument("--teacher-seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--weights",
        type=float,
        nargs=3,
        action="append",
        default=[],
        help="of the blocks: show the additive rating by them too",
    )
    parser.add_argument("--short-epochs", type=float, default=0.25, help="of a short training; below 1")
    for name, default, text in (
        ("teacher-epochs", 8, ""),
        ("train-images", 50_000, "those held out among them"),
        ("test-images", 10_000, "for the teacher's accuracy only"),
        ("rating-images", 2_000, "held out of the training images"),
        ("chain-images", 256, "of those, to score all networks with"),
        ("batch-size", 64, ""),
        ("sample", 100, "networks to train for a short time"),
        ("finalists", 8, "networks to train for a short time within each budget"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=text)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
