"""How a network is trained: the numbers, and the optimiser and schedule that timm makes of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import torch
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.scheduler.scheduler import Scheduler
from timm.scheduler.step_lr import StepLRScheduler
from torch import Tensor, nn

from dna_engine import recipes
from dna_engine.defaults import Optimizer, learning_rate
from dna_engine.recipes import Numbers
from dna_engine.spec import RecipeSpec, ResolvedRecipe, ResolvedSpec, ResolvedTeacher
from dna_engine.spec.parts import left_open
from dna_engine.training.augment.augmentation import Augmentation
from dna_engine.training.augment.mixing import mixed
from dna_engine.training.drawing import Drawing
from dna_engine.training.network import groups_by_rate

#: Of a network that is trained further: the early layers, whose features are of any images, change least.
LAYER_DECAY, LEAST_SCALE = 0.75, 0.1

#: What timm is told of an optimiser beside its rates. Of the three, torch has one itself, and that in a fused form.
OPTIMIZERS: Mapping[Optimizer, Mapping[str, Any]] = {
    "adamw": {"fused": True},
    "lamb": {},
    "rmsproptf": {"momentum": 0.9, "alpha": 0.9, "eps": 1e-3},
}


@dataclass(frozen=True, kw_only=True)
class Recipe(Numbers):
    """One training recipe. Both networks of a comparison are trained by the same.

    Attributes:
        epochs: passes over the training images; may be a fraction.
        batch_size: images per step.
        learning_rate: peak, reached at the end of the warm-up.
        warmup_epochs: linear rise of the learning rate; may be a fraction.
        teacher_weight: of a teacher's answers beside the labels, see :class:`~dna_engine.training.loss.Loss`; 0 for none.
        temperature: that these are softened by.
        frozen_epochs: the first ones, in which the classifier alone is trained and all before it stays as it is.
        backbone_rate: peak of all layers before the classifier; None for that of the classifier.
        patience: epochs without a better answer to images that were held out after which it ends early; 0 for all epochs.
        layer_decay: learning rate of each layer over that of the next one, down to :data:`LEAST_SCALE` of the classifier's; None
            for one rate.
    """

    epochs: float
    batch_size: int = 64
    learning_rate: float = 0.003
    warmup_epochs: float = 1.0
    teacher_weight: float = 0.0
    temperature: float = 1.0
    frozen_epochs: int = 0
    backbone_rate: float | None = None
    patience: int = 0
    layer_decay: float | None = None

    @classmethod
    def of(cls, spec: ResolvedRecipe) -> Recipe:
        """The recipe that a spec asks for."""
        said = {field.name for field in fields(cls)} & ResolvedRecipe.model_fields.keys()
        patience = spec.early_stopping.patience if spec.early_stopping else 0
        recipe = cls(**{name: getattr(spec, name) for name in said}, patience=patience)
        if spec.distill is None:
            return recipe
        return replace(recipe, teacher_weight=spec.distill.weight, temperature=spec.distill.temperature)

    @classmethod
    def named(cls, name: recipes.Name, *, epochs: int, batch_size: int) -> Recipe:
        """A row of the table as it is."""
        asked = RecipeSpec(recipe=name, epochs=epochs, batch_size=batch_size)
        return cls.of(ResolvedRecipe.model_validate(left_open(asked, batch_size)))

    @classmethod
    def of_finalist(cls, spec: ResolvedSpec) -> Recipe:
        """What tells finalists apart. Less than an epoch is one of fewer images."""
        size, epochs = spec.retrain.batch_size, max(1.0, spec.select.epochs)
        return cls(
            epochs=epochs,
            batch_size=size,
            learning_rate=spec.retrain.learning_rate if spec.retrain.optimizer == "adamw" else learning_rate(size),
            label_smoothing=0.0,
            warmup_epochs=epochs / 10,
            sampling=spec.retrain.sampling,
        )

    @classmethod
    def of_teacher(cls, spec: ResolvedTeacher) -> Recipe:
        """What a teacher is trained by on a search's own images; further, where it has learnt from others before."""
        return cls(
            epochs=spec.epochs,
            batch_size=spec.batch_size,
            learning_rate=spec.learning_rate,
            warmup_epochs=min(5.0, spec.epochs / 10),
            frozen_epochs=spec.frozen_epochs,
            layer_decay=LAYER_DECAY if spec.weights == "finetune" else None,
        )

    def lasting(self, epochs: float) -> Recipe:
        """The same for a longer or shorter training, of which the warm-up takes the same share."""
        return replace(self, epochs=epochs, warmup_epochs=self.warmup_epochs * epochs / self.epochs)

    def steps(self, steps_per_epoch: int) -> int:
        """Updates in all, one at least."""
        return max(1, round(self.epochs * steps_per_epoch))

    @property
    def drawing(self) -> Drawing:
        """How its batches are drawn."""
        return Drawing(
            sampling=self.sampling,
            repeats=self.repeats,
            crop_area=self.crop_area,
            augmentation=Augmentation.of(self),
        )

    def mixed(self, images: Tensor, *, seed: int, step: int) -> tuple[Tensor, float]:
        """The batch of a step with its images mixed, and the share of each that is its own, see :func:`mixed`."""
        return mixed(images, self, random.Random(f"{seed}/{step}/mix"))

    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """By timm: norms and biases do not decay."""
        own = dict(OPTIMIZERS[self.optimizer])
        if self.optimizer == "adamw":
            own |= {"layer_decay": self.layer_decay, "layer_decay_min_scale": LEAST_SCALE}
        if self.backbone_rate is not None:
            own |= {"param_group_fn": partial(groups_by_rate, scale=self.backbone_rate / self.learning_rate)}
        return create_optimizer_v2(model, self.optimizer, lr=self.learning_rate, weight_decay=self.weight_decay, **own)

    def make_schedule(self, optimizer: torch.optim.Optimizer, steps_per_epoch: int) -> Scheduler:
        """A function of the number of steps done; it keeps no state of its own."""
        warmup = round(self.warmup_epochs * steps_per_epoch)
        if self.schedule == "exponential":
            return StepLRScheduler(
                optimizer,
                decay_t=3 * steps_per_epoch,
                decay_rate=0.963,
                warmup_t=warmup,
                warmup_lr_init=0.0,
                t_in_epochs=False,
            )
        return CosineLRScheduler(
            optimizer,
            t_initial=max(1, self.steps(steps_per_epoch) - warmup),
            warmup_t=warmup,
            warmup_lr_init=0.0,
            warmup_prefix=True,
            t_in_epochs=False,
        )
