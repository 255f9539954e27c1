"""Does a rating put networks in the order in which training puts them? DNA, SPOS, flops and params on the same networks.

``python -m benchmarks.ranking DATA --out FOLDER`` draws networks spread over all costs and as many inside a band of flops
of 3%, trains each from scratch with several seeds, and compares. The supernets are trained for several numbers of steps, since
a supernet of shared weights takes longer to become one. Every unit of work leaves a file in FOLDER: run the same command again
after an interruption. See docs/benchmarks.md for how to read the result.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import multiprocessing
import random
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks import ranking_result, report
from benchmarks.kept import keep_settings
from benchmarks.pictures import lay_down
from dna_engine.baselines import spos
from dna_engine.errors import InvalidSpec
from dna_engine.pipeline import run_step
from dna_engine.plans import Phase, plan_of
from dna_engine.runtime.checkpoint import remove
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.space import Space
from dna_engine.space.architecture import Architecture
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import DistillSpec, RateSpec, ResolvedSpec, SearchSpec, TeacherSpec, resolve
from dna_engine.training import network, train
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits

#: Half the relative width of the band of flops, and the share of the random networks that cost less than its middle:
#: small networks differ more, and train faster.
BAND, BAND_AT = 0.015, 0.25
#: Random networks among which the study's are chosen.
POOL = 20_000

#: Like the paper's, a block has a deeper cell and a wider one, by a third. As in NAS-Bench-201, the ops differ in what they
#: can do, not in size alone: an op may be skipped or see single pixels only, which hardly shows in the flops.
SPACE: dict[str, Any] = {
    "name": "ranking study",
    "ops": [
        {"name": "mb2_1x1", "kernel": 1, "expansion": 2, "se_ratio": 0.0},
        {"name": "mb4_1x1", "kernel": 1, "expansion": 4, "se_ratio": 0.0},
        {"name": "mb6_1x1", "kernel": 1, "expansion": 6, "se_ratio": 0.0},
        {"name": "mb4_3x3", "kernel": 3, "expansion": 4, "se_ratio": 0.0},
        "skip",
    ],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 2, "width": 32}, {"depth": 3, "width": 24}]},
        {"stride": 2, "cells": [{"depth": 2, "width": 48}, {"depth": 3, "width": 40}]},
        {"stride": 2, "cells": [{"depth": 2, "width": 96}, {"depth": 3, "width": 80}]},
    ],
    "stem_width": 8,
    "first_width": 8,
    "head_width": 128,
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a study is; kept in its folder and never changed there.

    Attributes:
        networks: over all costs, and as many inside the band.
        seeds: repetitions of each training.
        distill_steps: of the block supernets, and of the SPOS supernet: each number is a training of its own, of both.
        batch_size: of every training.
    """

    data: str
    networks: int
    seeds: int
    train_images: int
    test_images: int
    rating_images: int
    epochs: int
    teacher_epochs: int
    distill_steps: list[int]
    batch_size: int
    augment: bool
    learning_rate: float
    input_size: int
    teacher: str
    boundaries: list[str]
    space: dict[str, Any]


@dataclass(frozen=True)
class Rated:
    """Ratings of the study's networks, in their order, and the seconds that they took."""

    ratings: list[float]
    seconds: float


def _by_steps(rated: Mapping[int, Rated]) -> dict[str, Any]:
    """As a result file has it."""
    return {
        "ratings": {str(steps): one.ratings for steps, one in rated.items()},
        "seconds_by_steps": {str(steps): round(one.seconds, 1) for steps, one in rated.items()},
    }


@dataclass(frozen=True)
class Study:
    """The files of a study and the work behind each."""

    folder: Path
    settings: Settings

    @functools.cached_property
    def spec(self) -> ResolvedSpec:
        """The study's search, as far as it does not depend on the supernets' steps."""
        return self.spec_at(self.settings.distill_steps[-1])

    def spec_at(self, distill_steps: int) -> ResolvedSpec:
        """The search with supernets of that many steps, to the next whole epoch."""
        s = self.settings
        images = s.train_images + s.rating_images
        dataset = lay_down(Path(s.data), self.folder / "images", train_images=images, test_images=s.test_images)
        steps_per_epoch = max(1, s.train_images // s.batch_size)
        search = SearchSpec(
            dataset=dataset.name,
            space=s.space,
            input_size=s.input_size,
            teacher=TeacherSpec(
                model=s.teacher, boundaries=s.boundaries or None, weights="train", epochs=s.teacher_epochs
            ),
            training=DistillSpec(epochs=max(1, round(distill_steps / steps_per_epoch)), batch_size=s.batch_size),
            rating=RateSpec(images=s.rating_images, batch_size=s.batch_size),
            augment=s.augment,
        )
        return resolve(search, dataset)

    @functools.cached_property
    def networks(self) -> list[Architecture]:
        """First those over all costs, then those of the band."""
        path = self.folder / "networks.json"
        if not path.exists():
            chosen = choose(self.spec, self.settings.networks)
            path.write_text(json.dumps([architecture.to_json() for architecture in chosen]))
        return [Architecture.from_json(value) for value in json.loads(path.read_text())]

    def units(self) -> list[str]:
        """Names of the result files: the longest work first, then networks of both kinds in turn.

        So an unfinished study has networks over all costs and inside the band with every seed, and can be reported.
        """
        count = self.settings.networks
        order = random.Random("order").sample(range(count), count)
        numbers = [number for place in order for number in (place, count + place)]
        seeds = range(1, self.settings.seeds + 1)
        return ["dna.json", "spos.json", *(f"truth/{number:03d}-{seed}.json" for number in numbers for seed in seeds)]

    def work(self, unit: str, device: torch.device) -> None:
        """Does one unit; goes on from its checkpoint, if it has one."""
        began = time.monotonic()
        folder = self.folder / "work" / unit.removesuffix(".json").replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        context = Context(run=folder, device=device, reporter=report.Silent())
        if unit == "dna.json":
            result = self._dna(context)
        elif unit == "spos.json":
            result = self._spos(context)
        else:
            number, seed = map(int, Path(unit).stem.split("-"))
            result = self._truth(self.networks[number], seed, context)
        result["seconds"] = round(time.monotonic() - began, 1)
        path = self.folder / unit
        path.parent.mkdir(exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(result, indent=1))
        beside.replace(path)

    def _dna(self, context: Context) -> dict[str, Any]:
        """The teacher, then the search's own steps for each number of steps of the supernets."""
        _missing_steps(Phase.TEACHER, self.spec, context)
        about = json.loads((context.run / "teacher.json").read_text())
        rated = {steps: self._dna_at(steps, context) for steps in self.settings.distill_steps}
        return {"teacher_accuracy": about["accuracy"], **_by_steps(rated)}

    def _dna_at(self, steps: int, context: Context) -> Rated:
        """A network's rating is the sum over its blocks."""
        began, spec, space = time.monotonic(), self.spec_at(steps), self.spec.parsed_space
        run = context.run / str(steps)
        run.mkdir(exist_ok=True)
        for name in ("teacher.safetensors", "teacher.json"):
            shutil.copyfile(context.run / name, run / name)
        for phase in (Phase.DISTILL, Phase.RATE):
            _missing_steps(phase, spec, replace(context, run=run))
        losses = {}
        for ref in space.cells:
            rated = json.loads((run / f"ratings/{ref}.json").read_text())["losses"]
            losses[ref.block, ref.cell] = dict(zip(space.paths(space.cell(ref)), rated, strict=True))
        ratings = [
            sum(losses[number, block.cell][block.ops] for number, block in enumerate(architecture.blocks, start=1))
            for architecture in self.networks
        ]
        return Rated(ratings, time.monotonic() - began)

    def _spos(self, context: Context) -> dict[str, Any]:
        return _by_steps({steps: self._spos_at(steps, context) for steps in self.settings.distill_steps})

    def _spos_at(self, steps: int, context: Context) -> Rated:
        began, spec = time.monotonic(), self.spec_at(steps)
        assert spec.training.epochs is not None
        splits = images_of(self.spec, context.device)
        torch.manual_seed(spec.seed)
        shared = spos.SharedNetwork(spec.parsed_space, spec.dataset.num_classes)
        recipe = self._recipe(spec.training.epochs)
        checkpoint = context.run / f"{steps}.safetensors"
        train.fit(
            spos.RandomPath(shared), splits, recipe, seed=spec.seed, context=context, checkpoint=checkpoint, part="spos"
        )
        ratings = spos.rate(shared, self.networks, splits.rate, batch_size=self.settings.batch_size)
        remove(checkpoint)
        return Rated(ratings, time.monotonic() - began)

    def _truth(self, architecture: Architecture, seed: int, context: Context) -> dict[str, Any]:
        torch.manual_seed(seed)
        model = network.build(architecture)
        recipe, checkpoint = self._recipe(self.settings.epochs), context.run / "checkpoint.safetensors"
        splits = images_of(self.spec, context.device)
        fitted = train.fit(model, splits, recipe, seed=seed, context=context, checkpoint=checkpoint, part="network")
        remove(checkpoint)
        return fitted.to_json()

    def _recipe(self, epochs: int) -> Recipe:
        """One for the networks and for SPOS; no label smoothing, which would spoil the log-loss."""
        s = self.settings
        return Recipe(
            epochs=epochs,
            batch_size=s.batch_size,
            learning_rate=s.learning_rate,
            label_smoothing=0.0,
            warmup_epochs=epochs / 10,
        )


def _missing_steps(phase: Phase, spec: ResolvedSpec, context: Context) -> None:
    """The steps of a phase whose files are not in the run folder."""
    for step in plan_of(spec).steps(phase):
        if not all((context.run / name).exists() for name in step.outputs(spec)):
            run_step(spec, step, context)


@functools.cache
def _splits(spec: str, device: torch.device) -> Splits:
    return load_splits(ResolvedSpec.model_validate_json(spec), device)


def images_of(spec: ResolvedSpec, device: torch.device) -> Splits:
    """The study's images, read once in each process."""
    return _splits(spec.model_dump_json(), device)


# --- which networks


def random_network(spec: ResolvedSpec, space: Space, rng: random.Random) -> Architecture:
    choices = spos.draw(space, rng.getrandbits(62))
    return Architecture.from_choices(space, choices, input_size=spec.input_size, num_classes=spec.dataset.num_classes)


def choose(spec: ResolvedSpec, count: int) -> list[Architecture]:
    """``count`` networks at even steps of log flops over a random pool, then ``count`` within the band.

    Raises:
        InvalidSpec: the space has too few networks in the band.
    """
    rng, space = random.Random("networks"), spec.parsed_space
    pool = list(dict.fromkeys(random_network(spec, space, rng) for _ in range(POOL)))
    pool.sort(key=lambda architecture: architecture_cost(architecture).flops)
    flops = [architecture_cost(architecture).flops for architecture in pool]
    low, high, middle = flops[len(pool) // 200], flops[-1 - len(pool) // 200], flops[int(len(pool) * BAND_AT)]
    spread: list[int] = []
    for place in range(count):
        target = math.log(low) + (place + 0.5) / count * (math.log(high) - math.log(low))
        free = (index for index in range(len(pool)) if index not in spread)
        spread.append(min(free, key=lambda index: abs(math.log(flops[index]) - target)))
    inside = [i for i in range(len(pool)) if i not in spread and abs(flops[i] / middle - 1) <= BAND]
    if len(inside) < count:
        raise InvalidSpec(f"Only {len(inside)} networks of {POOL} lie in the band; ask for fewer.", param="networks")
    return [pool[index] for index in spread + rng.sample(inside, count)]


# --- the command


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    study = Study(arguments.out, settings_of(arguments))
    keep_settings(study.folder, asdict(study.settings))
    study.networks  # noqa: B018  Drawn once, before the processes start.
    began = time.monotonic()
    for done, total, unit in () if arguments.report else run(study, arguments.device, arguments.jobs):
        print(f"{time.monotonic() - began:8.0f} s  {done}/{total}  {unit}", flush=True)
    device = choose_device(arguments.device)
    report.print_header("ranking", device)
    ranking_result.write(study.folder, study.networks, teacher_name=study.settings.teacher)


def run(study: Study, device: str | None, jobs: int) -> Iterator[tuple[int, int, str]]:
    """Does what is missing, here or in several processes; yields units as they are done."""
    units = study.units()
    missing = [unit for unit in units if not (study.folder / unit).exists()]
    finished = _here(study, device, missing) if jobs == 1 else _side_by_side(study, device, missing, jobs)
    for number, unit in enumerate(finished, start=len(units) - len(missing) + 1):
        yield number, len(units), unit


def _here(study: Study, device: str | None, units: Sequence[str]) -> Iterator[str]:
    for unit in units:
        _work(study.folder, study.settings, unit, device)
        yield unit


def _side_by_side(study: Study, device: str | None, units: Sequence[str], jobs: int) -> Iterator[str]:
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(_work, study.folder, study.settings, unit, device): unit for unit in units}
        for future in as_completed(futures):
            future.result()
            yield futures[future]


def _work(folder: Path, settings: Settings, unit: str, device_name: str | None) -> None:
    device = choose_device(device_name)
    prepare(device)
    Study(folder, settings).work(unit, device)


def settings_of(arguments: argparse.Namespace) -> Settings:
    given = {name: value for name, value in vars(arguments).items() if name in Settings.__dataclass_fields__}
    given["space"] = json.loads(arguments.space.read_text()) if arguments.space else SPACE
    return Settings(**given)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="Fashion-MNIST's four .gz files, or a folder or zip with train/ and test/ or val/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the study")
    parser.add_argument("--device", help="cpu or cuda:0")
    parser.add_argument("--report", action="store_true", help="only show what the finished networks of --out say")
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
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument("--augment", action="store_true", help="shifts; in a few epochs they only slow learning")
    parser.add_argument("--space", type=Path, help="JSON of an explicit space; default: this study's own")
    parser.add_argument("--teacher", default="resnet18")
    parser.add_argument(
        "--boundaries", nargs="*", default=["layer1", "layer2", "layer3"], help="of the teacher; none: found"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
