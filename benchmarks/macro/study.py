"""The files of a study and the work behind them: teachers, supernets at several lengths, scores of all networks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.agreement import Floats
from benchmarks.macro import scores, teacher
from benchmarks.macro.learning import Classifier, Follower, Student, lengths
from benchmarks.macro.space import SIDE
from benchmarks.pictures import lay_down
from benchmarks.report import Silent
from dna_engine.images.info import DatasetInfo
from dna_engine.runtime.context import Context
from dna_engine.training.batches import Images, StoredImages
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, splits_of

#: Of all randomness but the teacher's and that of the blocks behind it.
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a study is; kept in its folder and never changed there, but for more lengths, teachers and short trainings.

    Attributes:
        rating_images: held out of the training images.
        chain_images: of those, by which chaining and SPOS score all networks.
        short_epochs: length of a short training.
    """

    data: str
    train_images: int
    test_images: int
    rating_images: int
    chain_images: int
    batch_size: int
    teacher_epochs: int
    short_epochs: float


@dataclass(frozen=True)
class Study:
    """In a folder, on a device."""

    folder: Path
    settings: Settings
    device: torch.device

    @cached_property
    def dataset(self) -> DatasetInfo:
        s = self.settings
        return lay_down(Path(s.data), self.folder / "images", train_images=s.train_images, test_images=s.test_images)

    @cached_property
    def splits(self) -> Splits:
        return splits_of(
            self.dataset,
            input_size=SIDE,
            rating_images=self.settings.rating_images,
            seed=SEED,
            augment=True,
            device=self.device,
        )

    @cached_property
    def chain_images(self) -> Images:
        return some(self.splits.rate, range(self.settings.chain_images))

    # --- scores of all networks

    def teacher_folder(self, seed: int) -> Path:
        return self.folder / f"teacher-{seed}"

    def follower(self, seed: int) -> Follower:
        """Untrained blocks behind the teacher of that seed, which is trained where it is not yet."""
        folder = self.teacher_folder(seed)
        if not (folder / "teacher.json").exists():
            folder.mkdir(exist_ok=True)
            context = Context(run=folder, device=self.device, reporter=Silent())
            epochs, size = self.settings.teacher_epochs, self.settings.batch_size
            recipe = Recipe(epochs=epochs, batch_size=size, warmup_epochs=epochs / 10)
            teacher.make(self.splits, self.dataset.num_classes, recipe, seed=seed, context=context)
        torch.manual_seed(seed)
        return Follower(teacher.load(folder, self.device), self.splits.train, seed)

    def score_distilled(self, seed: int, steps: Sequence[int]) -> None:
        """Writes ``teacher-SEED/STEPS.json`` for every length: ``blocks`` as rated, and ``chained``."""
        follower, folder, size = self.follower(seed), self.teacher_folder(seed), self.settings.batch_size

        def score() -> dict[str, Any]:
            blocks = scores.rate_blocks(follower, self.splits.rate, 4 * size)
            return {"blocks": blocks, "chained": scores.chained(follower, self.chain_images, 2 * size)}

        for length in self._lengths(follower, steps, seed, folder):
            written(folder / f"{length}.json", score)

    def score_shared(self, steps: Sequence[int]) -> None:
        """Writes ``spos/STEPS.json`` for every length."""
        folder = self.folder / "spos"
        folder.mkdir(exist_ok=True)
        torch.manual_seed(SEED)
        shared = Classifier(self.dataset.num_classes, self.device)

        def score() -> dict[str, Any]:
            return {"spos": scores.shared(shared.net, self.chain_images, 2 * self.settings.batch_size)}

        for length in self._lengths(shared, steps, SEED, folder):
            written(folder / f"{length}.json", score)

    def _lengths(self, student: Student, steps: Sequence[int], seed: int, folder: Path) -> Iterator[int]:
        size = self.settings.batch_size
        return lengths(student, steps, self.splits.train, batch_size=size, seed=seed, folder=folder)

    def scored(self, seed: int, steps: int) -> dict[str, Floats]:
        """Scores of all networks, by name of the way to score them; what is not finished is left out."""
        found: dict[str, Floats] = {}
        if (file := self.teacher_folder(seed) / f"{steps}.json").exists():
            kept = json.loads(file.read_text())
            found |= {"additive": np.array(scores.additive(kept["blocks"])), "chained": np.array(kept["chained"])}
        if (file := self.folder / f"spos/{steps}.json").exists():
            found["spos"] = np.array(json.loads(file.read_text())["spos"])
        return found

    def weighted(self, seed: int, steps: int, weights: Sequence[float]) -> dict[str, Floats]:
        """The additive rating with other weights of the blocks, by its name."""
        file = self.teacher_folder(seed) / f"{steps}.json"
        if not file.exists():
            return {}
        name = f"additive {':'.join(f'{weight:g}' for weight in weights)}"
        return {name: np.array(scores.additive(json.loads(file.read_text())["blocks"], weights))}


def some(images: Images, places: Sequence[int]) -> StoredImages:
    """A part of a set of images."""
    assert isinstance(images, StoredImages)
    chosen = torch.tensor(list(places))
    return StoredImages(
        images.canvases[chosen], images.labels[chosen], images.size, augment=images.augment, flip=images.flip
    )


def written(file: Path, make: Callable[[], Mapping[str, Any]]) -> None:
    """The file holds what ``make`` gives; nothing is done again."""
    if file.exists():
        return
    made = make()
    file.parent.mkdir(exist_ok=True)
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(made))
    beside.replace(file)
