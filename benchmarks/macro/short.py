"""Short trainings from inherited weights: of which networks, and what each comes to on images that were held out."""

from __future__ import annotations

import functools
import json
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.agreement import Floats
from benchmarks.macro.inherit import inherit
from benchmarks.macro.learning import Follower
from benchmarks.macro.space import Network
from benchmarks.macro.study import SEED, Study, some, written
from benchmarks.macro.truth import Truth
from benchmarks.report import Silent
from dna_engine.blockwise.inherit import recalibrate
from dna_engine.runtime import checkpoint
from dna_engine.runtime.context import Context
from dna_engine.training import train
from dna_engine.training.batches import StoredImages
from dna_engine.training.recipe import Recipe
from dna_engine.training.splits import Splits, by_class

#: Networks that the additive rating leaves within a budget, and that chaining then puts in order.
SHORTLIST = 256
#: Batches over which the norms of a network that inherits are set anew.
RECALIBRATION = 4


def sample(truth: Truth, count: int) -> list[str]:
    """Networks of the truth, whatever they cost."""
    return random.Random(SEED).sample(truth.names, min(count, len(truth.names)))


def finalists(truth: Truth, scored: Mapping[str, Floats], budget: float, count: int, *, by_chaining: bool) -> list[str]:
    """The best within a budget, by scores of the truth's networks: by the additive rating, or by chaining the best of that."""
    fit = truth.within(budget)
    best = fit[np.argsort(scored["additive"][fit], kind="stable")][:SHORTLIST]
    if by_chaining:
        best = best[np.argsort(scored["chained"][best], kind="stable")]
    return [truth.names[place] for place in best[:count]]


@dataclass(frozen=True)
class ShortTrainings:
    """Those behind one teacher after one length of distillation."""

    study: Study
    seed: int
    steps: int

    @property
    def folder(self) -> Path:
        return self.study.teacher_folder(self.seed) / f"short-{self.steps}"

    def log_losses(self) -> dict[str, float]:
        """By network, of those that are done."""
        return {file.stem: json.loads(file.read_text())["log_loss"] for file in sorted(self.folder.glob("*.json"))}

    def run(self, network: str) -> None:
        """Leaves a file; nothing is done again."""
        written(self.folder / f"{network}.json", lambda: self._train(network))

    @cached_property
    def follower(self) -> Follower:
        """The distilled blocks."""
        kept = checkpoint.load(self.study.teacher_folder(self.seed) / f"{self.steps}.safetensors")
        assert kept is not None
        follower = self.study.follower(self.seed)
        follower.restore(kept)
        return follower

    @cached_property
    def images(self) -> StoredImages:
        """As many as the share of an epoch says."""
        everything, share = self.study.splits.train, self.study.settings.short_epochs
        chosen, _ = by_class(everything.labels.tolist(), max(2, round(share * len(everything))), SEED)
        return some(everything, chosen)

    def _train(self, network: str) -> dict[str, Any]:
        size, held_out = self.study.settings.batch_size, self.study.splits.rate
        splits = Splits(train=lambda: self.images, rate=lambda: held_out, test=lambda: held_out)
        recipe = Recipe(epochs=1, batch_size=size, label_smoothing=0.0, warmup_epochs=0.1)
        with tempfile.TemporaryDirectory() as folder:
            context = Context(run=Path(folder), device=self.study.device, reporter=Silent())
            file = context.run / "checkpoint.safetensors"
            model = self._inherited(network)
            fitted = train.fit(model, splits, recipe, seed=SEED, context=context, checkpoint=file, part=network)
        return {"log_loss": fitted.test_loss, "accuracy": fitted.test_accuracy, "seconds": fitted.seconds}

    def _inherited(self, network: str) -> Network:
        size = min(4 * self.study.settings.batch_size, len(self.images))
        looks = [x for x, _ in self.images.epoch(0, size, seed=SEED)][:RECALIBRATION]
        torch.manual_seed(SEED)  # For the head.
        model = inherit(self.follower.net, network, looks[0], self.study.dataset.num_classes)
        recalibrate(model, looks)
        return model


@functools.cache
def _shortly(study: Study, seed: int, steps: int) -> ShortTrainings:
    """Kept by its process, with the blocks."""
    return ShortTrainings(study, seed, steps)


def train_shortly(study: Study, seed: int, steps: int, network: str) -> None:
    """One of them."""
    _shortly(study, seed, steps).run(network)
