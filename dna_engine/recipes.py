"""The recipes that a network may be trained by, as data. Torch-free.

A recipe is a row of numbers. Whoever asks for a training names one and may write any number anew beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dna_engine import defaults

Name = Literal["quick", "small", "modern", "paper"]
Schedule = Literal["cosine", "exponential"]
Sampling = Literal["uniform", "by_class"]

#: Names of earlier versions, as they are read.
ALIASES: Mapping[str, Name] = {"adamw": "quick"}


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What recipes differ in; the defaults are those of ``quick``.

    Attributes:
        optimizer: adamw; lamb; or rmsproptf (TensorFlow's form of RMSprop: alpha 0.9, momentum 0.9, eps 1e-3).
        schedule: one cosine down to 0, or times 0.963 after every 3 epochs.
        weight_decay: on weights; never on biases and norms.
        label_smoothing: share of the target spread evenly over the classes.
        clip_grad: largest L2 norm of the gradient over all weights, beyond which it is scaled down; 0 for none.
        ema_decay: of the moving average of the weights, which is then what is evaluated and kept; 0 for none. It rises to this.
        dropout: before the classifier.
        drop_path: of the deepest residual branch.
        sampling: uniform, every image once an epoch; by_class, of every class as many.
        repeats: so many times an image is in its batch, each time augmented anew (Hoffer et al. 2020); an epoch is as long as before.
        crop_area: least share of an image that a random crop shows (Szegedy et al. 2015); None for shifts of a few pixels where the
            images are held in memory, and a quarter where they are not.
        autoaugment: the policy found for ImageNet (Cubuk et al. 2019) as EfficientNets were trained by it.
        randaugment: magnitude of random changes of shape and colour (Cubuk et al. 2020), 0 to 10; 0 for none.
        randaugment_layers: such changes an image, at most.
        color_jitter: brightness, contrast and saturation are multiplied by 1 - this to 1 + this.
        random_erasing: share of the images that a box is erased from (Zhong et al. 2020).
        mixup: alpha of Beta(alpha, alpha), by which two images are averaged (Zhang et al. 2018); 0 for none.
        cutmix: the same, of images that get a box of another (Yun et al. 2019). With both, either for half of the batches.
        mix_probability: share of the batches that are mixed.
    """

    optimizer: defaults.Optimizer = "adamw"
    schedule: Schedule = "cosine"
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    clip_grad: float = 1.0
    ema_decay: float = 0.0
    dropout: float = 0.0
    drop_path: float = 0.0
    sampling: Sampling = "uniform"
    repeats: int = 1
    crop_area: float | None = None
    autoaugment: bool = False
    randaugment: float = 0.0
    randaugment_layers: int = 2
    color_jitter: float = 0.0
    random_erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    mix_probability: float = 1.0


#: What is switched off where images are to stay as they are.
AUGMENTATIONS: Mapping[str, bool | float | None] = {
    "crop_area": None,
    "autoaugment": False,
    "randaugment": 0.0,
    "color_jitter": 0.0,
    "random_erasing": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
}


@dataclass(frozen=True, kw_only=True)
class NamedRecipe:
    """A row of the table.

    Attributes:
        about: for what it is, in a sentence.
        imagenet_epochs: on :data:`IMAGENET` images; None for as many as :func:`dna_engine.defaults.epochs` says.
    """

    about: str
    numbers: Numbers
    imagenet_epochs: int | None = None


RECIPES: Mapping[Name, NamedRecipe] = {
    "quick": NamedRecipe(
        about="Crops and flips, AdamW and one cosine: the most accuracy for few epochs.",
        numbers=Numbers(),
    ),
    "small": NamedRecipe(
        about="For a few thousand images: mild changes of shape and colour, mixup, erasing, averaged weights.",
        numbers=Numbers(
            ema_decay=0.999, dropout=0.1, drop_path=0.05, randaugment=5.0, random_erasing=0.1, mixup=0.1
        ),
    ),
    "modern": NamedRecipe(
        about="As timm trains small EfficientNets: RandAugment, mixup, erasing, stochastic depth, averaged weights; for many epochs.",
        numbers=Numbers(
            ema_decay=0.9998, dropout=0.2, drop_path=0.1, randaugment=8.0, random_erasing=0.2, mixup=0.2
        ),
        imagenet_epochs=450,
    ),
    "paper": NamedRecipe(
        about="As published (Li et al. 2020, section 5.1): RMSprop, AutoAugment, dropout, stochastic depth, averaged weights.",
        numbers=Numbers(
            optimizer="rmsproptf",
            schedule="exponential",
            weight_decay=1e-5,
            clip_grad=0.0,
            ema_decay=0.9998,
            dropout=0.2,
            drop_path=0.2,
            autoaugment=True,
        ),
        imagenet_epochs=500,
    ),
}  # fmt: skip

#: Images that the epochs of a published recipe are for.
IMAGENET = 1_281_167

#: Which recipe is taken where none is named: that of the last row with no more training images than there are. Another than ``quick`` stands
#: here only where docs/benchmarks.md shows that it is ahead at as many epochs.
DEFAULT_FROM: tuple[tuple[int, Name], ...] = ((0, "quick"),)


def default(images: int) -> Name:
    """The recipe for so many training images, where none is named."""
    return [name for least, name in DEFAULT_FROM if images >= least][-1]


def why(name: str | None, images: int) -> str:
    """Why a training on so many images is by the recipe that it is by, in a sentence; ``name`` is that which was asked for, if any."""
    if name is not None:
        return f"{name} was asked for."
    (least, chosen), more = next(reversed([row for row in DEFAULT_FROM if images >= row[0]])), len(DEFAULT_FROM) > 1
    return f"{chosen} is the default for {f'{least:,} images and more' if more else 'any number of images'}; there are {images:,}."


def default_range(name: Name) -> tuple[int, int | None] | None:
    """From how many training images on a recipe is the default, and below how many (None: any number); None for one that never is."""
    bounds = [*(least for least, _ in DEFAULT_FROM[1:]), None]
    return next(
        ((least, most) for (least, other), most in zip(DEFAULT_FROM, bounds, strict=True) if other == name), None
    )


def epochs(name: Name, images: int) -> int:
    """Passes over so many training images. Those of a published recipe shrink with the fourth root of the number of images: 500 on
    ImageNet are 222 on 50,000 images, of which there are 26 times fewer to learn from.
    """
    usual, published = defaults.epochs(images).retraining, RECIPES[name].imagenet_epochs
    if published is None:
        return usual
    share: float = min(1.0, images / IMAGENET) ** 0.25
    return max(usual, round(published * share))
