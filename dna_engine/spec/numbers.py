"""The numbers of a recipe as people write them: each may be left to the recipe that is named, see :data:`dna_engine.recipes.RECIPES`. Torch-free."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic import Field

from dna_engine import defaults
from dna_engine.errors import InvalidSpec
from dna_engine.recipes import AUGMENTATIONS, Numbers, Sampling, Schedule
from dna_engine.spec.part import Part, Whole

#: Names of the numbers, in the order of :class:`dna_engine.recipes.Numbers`.
NUMBERS = tuple(field.name for field in fields(Numbers))


class NumbersSpec(Part):
    """What is written here takes the place of the recipe's own."""

    learning_rate: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description="The peak. Default: 0.003 for batches of 64 by adamw, 0.005 for batches of 2,048 by lamb, both in proportion to the square "
        "root of the batch; 0.064 for batches of 1,024 by rmsproptf, in proportion to the batch.",
    )
    warmup_epochs: float | None = Field(
        default=None,
        ge=0,
        le=1_000,
        description="In which the learning rate rises to its peak; may be a fraction. Default: a tenth of the epochs, at most 5.",
    )
    optimizer: defaults.Optimizer | None = Field(
        default=None,
        description="adamw; lamb, for large batches; rmsproptf, TensorFlow's RMSprop. Default: the recipe's.",
    )
    schedule: Schedule | None = Field(
        default=None,
        description="Of the learning rate after the warm-up. cosine: down to 0. exponential: times 0.963 after every 3 epochs. Default: the recipe's.",
    )
    weight_decay: float | None = Field(
        default=None, ge=0, le=1, description="Of weights, not of biases and norms. Default: the recipe's."
    )
    label_smoothing: float | None = Field(
        default=None, ge=0, lt=1, description="Share of a target that all classes have. Default: the recipe's."
    )
    clip_grad: float | None = Field(
        default=None, ge=0, le=1_000, description="Largest norm of the gradient; 0: none. Default: the recipe's."
    )
    ema_decay: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Of the moving average of the weights, which is then the network that is kept; 0: none. Default: the recipe's.",
    )
    dropout: float | None = Field(default=None, ge=0, lt=1, description="Before the classifier. Default: the recipe's.")
    drop_path: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Stochastic depth: rate of the deepest block, rising from 0 at the first. Default: the recipe's.",
    )
    sampling: Sampling | None = Field(
        default=None,
        description="uniform: every image once an epoch. by_class: as many images an epoch, of every class as many, for classes of "
        "unequal sizes: those of small classes come several times, some of large ones not at all. Default: uniform.",
    )
    repeats: Whole | None = Field(
        default=None,
        ge=1,
        le=16,
        description="Repeated augmentation: so many times an image is in its batch, each time changed anew; an epoch has as many steps as "
        "before. Default: the recipe's.",
    )
    crop_area: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Least share of an image that a random crop shows, resized to the whole. Default: shifts by a few pixels where the images "
        "fit in memory, and 0.25 where they do not.",
    )
    autoaugment: bool | None = Field(
        default=None, description="The policy found for ImageNet; not with randaugment. Default: the recipe's."
    )
    randaugment: float | None = Field(
        default=None,
        ge=0,
        le=10,
        description="Magnitude of random changes of shape and colour; 0: none. Default: the recipe's.",
    )
    randaugment_layers: Whole | None = Field(
        default=None, ge=1, le=8, description="Such changes an image, each made with probability one half. Default: 2."
    )
    color_jitter: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Brightness, contrast and saturation are multiplied by 1 - this to 1 + this. Default: the recipe's.",
    )
    random_erasing: float | None = Field(
        default=None, ge=0, le=1, description="Share of the images that a box is erased from. Default: the recipe's."
    )
    mixup: float | None = Field(
        default=None,
        ge=0,
        le=10,
        description="Alpha of Beta(alpha, alpha), by which two images and their labels are averaged; 0: none. Default: the recipe's.",
    )
    cutmix: float | None = Field(
        default=None,
        ge=0,
        le=10,
        description="The same, where a box of one image is laid over another; with mixup, either for half of the batches. Default: the recipe's.",
    )
    mix_probability: float | None = Field(
        default=None, ge=0, le=1, description="Share of the batches that are mixed. Default: 1."
    )


def numbers_of(spec: NumbersSpec, recipe: Numbers, *, augment: bool, at: str) -> dict[str, Any]:
    """The numbers of the recipe, but for those that are written.

    Args:
        augment: whether training images may be changed at all.
        at: where the recipe stands in the spec, such as ``retrain.``.

    Raises:
        InvalidSpec: numbers that cannot be together.
    """
    written = {name: getattr(spec, name) for name in NUMBERS if getattr(spec, name) is not None}
    if not augment:
        for name, off in AUGMENTATIONS.items():
            if written.get(name, off) not in (off, None):
                raise InvalidSpec(
                    f"Training images are to stay as they are: leave {name} out, or take augment true.",
                    param=f"{at}{name}",
                )
    found: dict[str, Any] = {**vars(recipe), **({} if augment else AUGMENTATIONS), **written}
    if found["autoaugment"] and found["randaugment"]:
        raise InvalidSpec(
            "An image is changed by one policy: take autoaugment false, or randaugment 0.",
            param=f"{at}{'randaugment' if 'randaugment' in written else 'autoaugment'}",
        )
    return found
