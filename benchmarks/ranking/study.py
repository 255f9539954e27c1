"""The files of a study and the work behind each: networks, supernets of both kinds, trainings."""

from __future__ import annotations

import functools
import json
import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.pictures import lay_down
from benchmarks.ranking import inherited
from benchmarks.ranking.networks import choose
from dna_engine.baselines import spos
from dna_engine.pipeline import run_step
from dna_engine.plans import Phase, plan_of
from dna_engine.runtime.checkpoint import remove
from dna_engine.runtime.context import Context
from dna_engine.space.architecture import Architecture
from dna_engine.spec import DistillSpec, RateSpec, ResolvedSpec, SearchSpec, SelectSpec, TeacherSpec, resolve
from dna_engine.training import network, train
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a study is; kept in its folder and never changed there.

    Attributes:
        networks: over all costs, and as many inside the band.
        seeds: repetitions of each training.
        distill_steps: of the block supernets, and of the SPOS supernet: each number is a training of its own, of both.
        batch_size: of every training.
        short_epochs: of a short training from inherited weights; None: as many as a search trains its finalists for.
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
    short_epochs: float | None = None


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
        return self.spec_at(self.longest)

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
            select=SelectSpec(epochs=s.short_epochs),
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

    def inherited_units(self) -> list[str]:
        """Names of the result files that need the distilled blocks."""
        numbers, seeds = range(2 * self.settings.networks), range(1, self.settings.seeds + 1)
        return [
            "chained.json",
            *(f"short/{number:03d}.json" for number in numbers),
            *(f"inherited/{number:03d}-{seed}.json" for number in numbers for seed in seeds),
        ]

    def work(self, unit: str, device: torch.device) -> None:
        """Does one unit; goes on from its checkpoint, if it has one."""
        began = time.monotonic()
        folder = self.folder / "work" / unit.removesuffix(".json").replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        context = Context(run=folder, device=device, reporter=report.Silent())
        result = self._found(unit, context)
        result["seconds"] = round(time.monotonic() - began, 1)
        path = self.folder / unit
        path.parent.mkdir(exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(result, indent=1))
        beside.replace(path)

    def _found(self, unit: str, context: Context) -> dict[str, Any]:
        kind = unit.removesuffix(".json").partition("/")[0]
        if kind == "dna":
            return self._dna(context)
        if kind == "spos":
            return self._spos(context)
        if kind == "chained":
            return self._chained(context)
        number, _, seed = Path(unit).stem.partition("-")
        architecture = self.networks[int(number)]
        if kind == "short":
            return inherited.short(self.spec, architecture, self.distilled(self.longest), context).to_json()
        return self._truth(architecture, int(seed), context, inherits=kind == "inherited")

    @property
    def longest(self) -> int:
        """Steps of the distillation that networks inherit from."""
        return self.settings.distill_steps[-1]

    def distilled(self, steps: int) -> Path:
        """Run folder of a search up to its ratings."""
        return self.folder / "work" / "dna" / str(steps)

    def _dna(self, context: Context) -> dict[str, Any]:
        """The teacher, then the search's own steps for each number of steps of the supernets."""
        _missing_steps(Phase.TEACHER, self.spec, context)
        about = json.loads((context.run / "teacher.json").read_text())
        rated = {steps: self._dna_at(steps, context) for steps in self.settings.distill_steps}
        return {"teacher_accuracy": about["accuracy"], **_by_steps(rated)}

    def _dna_at(self, steps: int, context: Context) -> Rated:
        """A network's rating is the sum over its blocks."""
        began, spec, space = time.monotonic(), self.spec_at(steps), self.spec.parsed_space
        run = self.distilled(steps)
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

    def _chained(self, context: Context) -> dict[str, Any]:
        """After each number of steps."""
        images, device = images_of(self.spec, context.device).rate, context.device
        scores = {
            str(steps): inherited.chain(self.spec, self.networks, images, self.distilled(steps), device)
            for steps in self.settings.distill_steps
        }
        return {"ratings": scores}

    def _truth(self, architecture: Architecture, seed: int, context: Context, *, inherits: bool) -> dict[str, Any]:
        recipe, checkpoint = self._recipe(self.settings.epochs), context.run / "checkpoint.safetensors"
        splits = images_of(self.spec, context.device)
        if inherits:
            blocks = self.distilled(self.longest)
            model = inherited.build(self.spec, architecture, splits.train, blocks, seed, context.device)
        else:
            torch.manual_seed(seed)
            model = network.build(architecture)
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
