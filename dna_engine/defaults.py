"""What a spec leaves open, by how many images there are to train with. Torch-free.

Small sets are passed over more often and in smaller batches: what counts is the number of steps, and 200 images in batches
of 64 make three an epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dna_engine.catalogue import NATIVE_SIZE
from dna_engine.images.info import DatasetInfo
from dna_engine.images.pictures.pixels import ELONGATED, Fit

#: Training images below which a set counts as small.
SMALL_SET = 5_000
#: Images in a batch, at most and at least.
BATCH, SMALLEST_BATCH = 64, 16
#: An epoch is to have about so many steps, as far as :data:`SMALLEST_BATCH` allows.
STEPS_PER_EPOCH = 16
#: Below so many images the number of epochs grows as the images get fewer, up to :data:`MOST_PASSES` times.
FEW_IMAGES, MOST_PASSES = 1_250, 4.0
#: AdamW's peak at :data:`BATCH` images a step.
LEARNING_RATE = 0.003
Optimizer = Literal["adamw", "lamb", "rmsproptf"]
#: Of each optimiser: its peak, images a step at which it is that, and the power of their number by which it grows. For adaptive ones the
#: square root (Malladi et al. 2022); LAMB's is that of Wightman et al. 2021, RMSprop's that of Li et al. 2020, section 5.1.
PEAKS: Final[Mapping[Optimizer, tuple[float, int, float]]] = {
    "adamw": (LEARNING_RATE, BATCH, 0.5),
    "lamb": (0.005, 2048, 0.5),
    "rmsproptf": (0.064, 1024, 1.0),
}
#: What the weights of a network are before its training, where its distilled blocks could give them.
Start = Literal["scratch", "inherited"]
#: The same of one that may begin with what another training has left.
Began = Literal["scratch", "inherited", "transferred"]
#: In a search: ahead of the other at every length that was measured (docs/benchmarks.md).
START: Final[Start] = "inherited"


#: Networks that are looked at whole before one of them is the winner.
FINALISTS = 8
#: Each is trained for this share of an epoch, and for this many steps, at least.
LEAST_SHARE, LEAST_STEPS = 0.25, 48

#: Shapes of pictures that differ by less than this factor are one shape.
ALIKE = 1.5

#: What names of sets of digits and letters hold.
_WRITTEN = ("digits", "mnist", "svhn", "usps", "emnist", "letters")


@dataclass(frozen=True, kw_only=True)
class Epochs:
    """Passes over the training images: of the teacher, of the cells' distillation, of the chosen networks."""

    teacher: int
    distillation: int
    retraining: int


def epochs(images: int) -> Epochs:
    """The paper's 20 for large sets; enough passes for small ones to converge."""
    if images >= SMALL_SET:
        return Epochs(teacher=20, distillation=20, retraining=30)
    more = min(MOST_PASSES, max(1.0, FEW_IMAGES / images))
    return Epochs(teacher=round(12 * more), distillation=round(20 * more), retraining=round(25 * more))


def batch_size(images: int) -> int:
    """A power of two from :data:`SMALLEST_BATCH` to :data:`BATCH`, the largest with :data:`STEPS_PER_EPOCH` steps an epoch."""
    size = BATCH
    while size > SMALLEST_BATCH and images < size * STEPS_PER_EPOCH:
        size //= 2
    return size


def short_epochs(images: int, batch: int) -> float:
    """Passes over the images of a training that is to tell networks apart, not to make them good."""
    return max(LEAST_SHARE, round(LEAST_STEPS / max(1, images // batch), 2))


def learning_rate(batch: int, optimizer: Optimizer = "adamw") -> float:
    """The peak for batches of that size, by :data:`PEAKS`.

    On the sets of docs/benchmarks.md AdamW's best rate moved with the size of the batch, hardly with input, width or steps.
    """
    peak, images, power = PEAKS[optimizer]
    return float(f"{peak * (batch / images) ** power:.3g}")


def finetuning_rate(batch: int) -> float:
    """The same for the classifier of a network that is trained further: a third, and less in the layers before it."""
    return float(f"{learning_rate(batch) / 3:.3g}")


def frozen_epochs(epochs: int) -> int:
    """Of those in which a network is trained further, the first fifth: its new classifier alone, on features that stay. At least one of
    them all is for the whole network.
    """
    return min(epochs - 1, max(1, round(epochs / 5)))


def input_size(image_size: int) -> int:
    """Side in pixels that images are resized to, where most of theirs are so long."""
    if image_size >= 64:
        return NATIVE_SIZE
    return 16 if image_size < 16 else 32


def flip(dataset: DatasetInfo) -> bool:
    """Whether the classes of a dataset survive the exchange of left and right: written signs do not, as far as its name tells, nor
    where its pictures were seen not to.
    """
    return not dataset.one_way and not any(word in dataset.name.lower() for word in _WRITTEN)


def resize(dataset: DatasetInfo) -> Fit:
    """How pictures become squares: the middle of what is nearly one; of what is not, the whole, squashed where all are of one shape."""
    if dataset.aspect_ratios is None:
        return "crop"
    narrow, middle, wide = dataset.aspect_ratios
    if max(middle, 1 / middle) < ELONGATED:
        return "crop"
    return "squash" if wide <= ALIKE * narrow else "pad"
