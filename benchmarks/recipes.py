"""Which recipe trains best? One network from scratch by each, for as many epochs, with several seeds.

``python -m benchmarks.recipes DATA --out FOLDER`` trains a network of ``mbconv-small`` (the deepest cells, or by ``--space`` another's) by
every recipe of the table and those that ``--recipes`` adds, such as ``small,mixup=0.2,cutmix=1``. A run that is done is not done again;
``--at-once 4`` has four under way beside each other, which a small network needs to fill a GPU. The test images decide nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.kept import keep_settings
from benchmarks.learning_rates import middling
from benchmarks.pictures import lay_down
from dna_engine.errors import DataError
from dna_engine.images.info import DIGITS, DatasetInfo
from dna_engine.jsonfile import read_object
from dna_engine.recipes import RECIPES
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context, choose_device, prepare
from dna_engine.runtime.cores import available
from dna_engine.space.cost import architecture_cost
from dna_engine.spec import RecipeSpec, ResolvedRecipe, ResolvedSpec, SearchSpec, resolve
from dna_engine.spec.parts import left_open
from dna_engine.training import network
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, load_splits
from dna_engine.training.train import fit


@dataclass(frozen=True)
class Study:
    """What all runs have in common."""

    data: str
    out: Path
    device: str
    space: str
    size: int | None
    epochs: int
    batch_size: int | None
    train_images: int
    test_images: int
    at_once: int

    @property
    def dataset(self) -> DatasetInfo:
        if self.data == DIGITS.name:
            return DIGITS
        images = self.out / "images"
        return lay_down(Path(self.data), images, train_images=self.train_images, test_images=self.test_images)

    @property
    def spec(self) -> ResolvedSpec:
        """A search whose space and images are taken; all of these are trained with."""
        asked = SearchSpec(dataset=self.dataset.name, space=self.space, input_size=self.size)
        spec = resolve(asked, self.dataset)
        return spec.model_copy(update={"rating": spec.rating.model_copy(update={"images": 0})})

    def recipe(self, written: str) -> Recipe:
        """What ``name,field=value,...`` says."""
        name, *numbers = written.split(",")
        fields = {field: json.loads(value) for field, _, value in (number.partition("=") for number in numbers)}
        asked = {"recipe": name, "epochs": self.epochs, "batch_size": self.batch_size} | fields
        found = left_open(RecipeSpec.model_validate(asked), self.dataset.num_train)
        return Recipe.of(ResolvedRecipe.model_validate(found))

    def file(self, written: str, seed: int) -> Path:
        return self.out / f"{written}-{seed}.json"


def run(study: Study, written: str, seed: int) -> None:
    """Trains by one recipe and seed, and keeps what was reached; nothing where that was done before."""
    file = study.file(written, seed)
    if file.exists():
        return
    spec, splits = _images(study)
    recipe, architecture = study.recipe(written), middling(spec)
    torch.manual_seed(seed)
    model = network.build(architecture, dropout=recipe.dropout, drop_path=recipe.drop_path)
    network.calm_classifier(model)
    context = Context(study.out, torch.device(study.device), report.Silent())
    kept = study.out / "checkpoints" / f"{file.stem}.safetensors"
    fitted = fit(model, splits, recipe, seed=seed, context=context, checkpoint=kept, part="network")
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(fitted.to_json() | {"recipe": asdict(recipe)}, indent=1))
    beside.rename(file)
    checkpoint.remove(kept)
    print(f"{written}, seed {seed}: {fitted.test_accuracy:.2%}, {fitted.seconds:.0f} s", flush=True)


@cache
def _images(study: Study) -> tuple[ResolvedSpec, Splits]:
    """Read once in a process, which then shares its cores with those beside it."""
    device = torch.device(study.device)
    prepare(device)
    if study.at_once > 1:
        torch.set_num_threads(max(1, available() // study.at_once))
    return study.spec, load_splits(study.spec, device)


def run_all(study: Study, recipes: Sequence[str], seeds: Sequence[int]) -> None:
    """All runs, by seed first: whoever stops early has compared all recipes."""
    runs = [(written, seed) for seed in seeds for written in recipes]
    if study.at_once == 1:
        for written, seed in runs:
            run(study, written, seed)
        return
    with ProcessPoolExecutor(study.at_once, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(run, study, written, seed) for written, seed in runs]:
            done.result()


def rows(study: Study, recipes: Sequence[str], seeds: Sequence[int]) -> list[list[str]]:
    """What each recipe reached, and how far it is ahead of the first, seed by seed."""
    found = {written: [read_object(study.file(written, seed), DataError) for seed in seeds] for written in recipes}
    first = found[recipes[0]]
    return [[written, *_row(runs, first)] for written, runs in found.items()]


def _row(runs: Sequence[Mapping[str, Any]], first: Sequence[Mapping[str, Any]]) -> list[str]:
    ahead = [100 * (one["test_accuracy"] - other["test_accuracy"]) for one, other in zip(runs, first, strict=True)]
    return [
        f"{statistics.fmean(one['test_accuracy'] for one in runs):.2%}",
        ", ".join(f"{one['test_accuracy']:.2%}" for one in runs),
        f"{statistics.fmean(ahead):+.2f}" + (f" ({min(ahead):+.2f} to {max(ahead):+.2f})" if len(ahead) > 1 else ""),
        f"{statistics.fmean(one['test_loss'] for one in runs):.3f}",
        f"{statistics.fmean(one['images_per_second'] for one in runs):,.0f}",
    ]  # fmt: skip


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="digits, Fashion-MNIST's four .gz files, or a folder or zip of class folders")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--recipes", nargs="+", default=list(RECIPES), help="the first is what others are compared with"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, help="default: that of a training on so many images")
    parser.add_argument("--space", default="mbconv-small")
    parser.add_argument("--size", type=int, help="input in pixels; default: that of a search")
    parser.add_argument("--train-images", type=int, default=1_000_000, help="at most; default: all")
    parser.add_argument("--test-images", type=int, default=5_000, help="at most")
    parser.add_argument("--at-once", type=int, default=1, help="runs beside each other")
    parser.add_argument("--device", help="cpu or cuda:0")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    device = choose_device(arguments.device)
    settings = {name: value for name, value in vars(arguments).items() if name not in ("recipes", "seeds", "device")}
    study = Study(**settings, device=str(device))
    keep_settings(study.out, {name: str(value) for name, value in settings.items() if name not in ("out", "at_once")})
    spec = study.spec
    cost = architecture_cost(middling(spec))
    run_all(study, arguments.recipes, arguments.seeds)
    report.print_header(
        f"recipes on {spec.dataset.name}: {spec.dataset.num_train:,} images at {spec.input_size} pixels, {study.epochs} epochs of batches of "
        f"{study.recipe('quick').batch_size}; {cost.flops / 1e6:,.1f}M multiply-adds, {cost.params / 1e6:,.2f}M parameters; "
        f"{spec.dataset.num_test:,} test images, seeds {', '.join(map(str, arguments.seeds))}",
        device,
    )
    report.print_table(
        ["recipe", "accuracy", "by seed", f"points ahead of {arguments.recipes[0]}", "log-loss", "images/s"],
        rows(study, arguments.recipes, arguments.seeds),
    )


if __name__ == "__main__":
    main()
