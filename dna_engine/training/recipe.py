"""How a network is trained: the numbers, and the optimiser and schedule that timm makes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.scheduler.scheduler import Scheduler
from timm.scheduler.step_lr import StepLRScheduler
from torch import nn

from dna_engine.defaults import learning_rate, paper_learning_rate
from dna_engine.spec import ResolvedRecipe, ResolvedSpec, ResolvedTeacher
from dna_engine.spec.parts import Sampling

#: Of a network that is trained further: the early layers, whose features are of any images, change least.
LAYER_DECAY, LEAST_SCALE = 0.75, 0.1


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training recipe. Both networks of a comparison are trained by the same.

    Attributes:
        epochs: passes over the training images; may be a fraction.
        batch_size: images per step.
        learning_rate: peak, reached at the end of the warm-up.
        weight_decay: on weights; never on biases and norms.
        label_smoothing: share of the target spread evenly over the classes.
        warmup_epochs: linear rise of the learning rate; may be a fraction.
        optimizer: adamw, or rmsproptf (TensorFlow's form of RMSprop: alpha 0.9, momentum 0.9, eps 1e-3).
        schedule: one cosine down to 0, or times 0.963 after every 3 epochs.
        ema_decay: of the moving average of the weights, which is then what is evaluated and kept; None for none.
        dropout: before the classifier.
        drop_path: of the deepest residual branch.
        teacher_weight: of a teacher's answers beside the labels, see :class:`~dna_engine.training.loss.Loss`; 0 for none.
        temperature: that these are softened by.
        clip_grad: largest L2 norm of the gradient over all weights, beyond which it is scaled down; None for none.
        frozen_epochs: the first ones, in which the classifier alone is trained and all before it stays as it is.
        layer_decay: learning rate of each layer over that of the next one, down to :data:`LEAST_SCALE` of the classifier's; None
            for one rate.
        sampling: uniform, every image once an epoch; by_class, of every class as many.
    """

    epochs: float
    batch_size: int = 64
    learning_rate: float = 0.003
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    warmup_epochs: float = 1.0
    optimizer: Literal["adamw", "rmsproptf"] = "adamw"
    schedule: Literal["cosine", "exponential"] = "cosine"
    ema_decay: float | None = None
    dropout: float = 0.0
    drop_path: float = 0.0
    clip_grad: float | None = 1.0
    teacher_weight: float = 0.0
    temperature: float = 1.0
    frozen_epochs: int = 0
    layer_decay: float | None = None
    sampling: Sampling = "uniform"

    @classmethod
    def of(cls, spec: ResolvedRecipe) -> Recipe:
        """The recipe that a spec asks for."""
        recipe = replace(cls._by_labels(spec), sampling=spec.sampling)
        if spec.distill is None:
            return recipe
        return replace(recipe, teacher_weight=spec.distill.weight, temperature=spec.distill.temperature)

    @classmethod
    def _by_labels(cls, spec: ResolvedRecipe) -> Recipe:
        if spec.recipe == "paper":
            return cls.paper(epochs=spec.epochs, batch_size=spec.batch_size)
        return cls(
            epochs=spec.epochs,
            batch_size=spec.batch_size,
            learning_rate=spec.learning_rate,
            weight_decay=spec.weight_decay,
            label_smoothing=spec.label_smoothing,
            warmup_epochs=min(5.0, spec.epochs / 10),
        )

    @classmethod
    def of_finalist(cls, spec: ResolvedSpec) -> Recipe:
        """What tells finalists apart. Less than an epoch is one of fewer images."""
        paper = spec.retrain.recipe == "paper"
        size, epochs = spec.retrain.batch_size, max(1.0, spec.select.epochs)
        return cls(
            epochs=epochs,
            batch_size=size,
            learning_rate=learning_rate(size) if paper else spec.retrain.learning_rate,
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

    @classmethod
    def paper(cls, *, epochs: int = 500, batch_size: int = 1024) -> Recipe:
        """The published one (Li et al. 2020, section 5.1), its learning rate scaled to the batch."""
        return cls(
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=paper_learning_rate(batch_size),
            weight_decay=1e-5,
            warmup_epochs=min(5.0, epochs / 10),
            optimizer="rmsproptf",
            schedule="exponential",
            ema_decay=0.9998,
            dropout=0.2,
            drop_path=0.2,
            clip_grad=None,
        )

    def lasting(self, epochs: float) -> Recipe:
        """The same for a longer or shorter training, of which the warm-up takes the same share."""
        return replace(self, epochs=epochs, warmup_epochs=self.warmup_epochs * epochs / self.epochs)

    def steps(self, steps_per_epoch: int) -> int:
        """Updates in all, one at least."""
        return max(1, round(self.epochs * steps_per_epoch))

    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        if self.optimizer == "adamw":
            return create_optimizer_v2(
                model,
                "adamw",
                lr=self.learning_rate,
                weight_decay=self.weight_decay,
                layer_decay=self.layer_decay,
                layer_decay_min_scale=LEAST_SCALE,
                fused=True,
            )
        return create_optimizer_v2(
            model, "rmsproptf", lr=self.learning_rate, weight_decay=self.weight_decay, momentum=0.9, alpha=0.9, eps=1e-3
        )

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
