"""What is done to the images of a batch after they were cropped and mirrored, in the order in which it is done."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dna_engine.images.pictures.pixels import MEAN, STD
from dna_engine.recipes import Numbers
from dna_engine.training.augment import changes
from dna_engine.training.augment.draws import Draws
from dna_engine.training.augment.policies import AutoAugment, Policy, RandAugment, changed

#: Of an erased box: share of the image, and ratio of its sides.
ERASED_AREA, ERASED_RATIO = (0.02, 1 / 3), (0.3, 1 / 0.3)


@dataclass(frozen=True)
class Augmentation:
    """Callable on a batch of bytes (B, 3, S, S); gives bytes, or floats 0 to 255 where boxes were erased.

    Attributes:
        policy: of changes of shape and colour.
        color_jitter: see :class:`~dna_engine.recipes.Numbers`, as are those below.
    """

    policy: Policy | None = None
    color_jitter: float = 0.0
    random_erasing: float = 0.0

    @classmethod
    def of(cls, numbers: Numbers) -> Augmentation:
        policy: Policy | None = AutoAugment() if numbers.autoaugment else None
        if numbers.randaugment:
            policy = RandAugment(numbers.randaugment, numbers.randaugment_layers)
        return cls(policy, numbers.color_jitter, numbers.random_erasing)

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Whatever is random is drawn by ``draws``."""
        if self.policy is not None:
            images = changed(images, self.policy, draws)
        if self.color_jitter:
            images = _jittered(images, self.color_jitter, draws)
        if self.random_erasing:
            images = _erased(images, self.random_erasing, draws)
        return images


#: Images as they are.
NOTHING = Augmentation()


def _jittered(images: Tensor, strength: float, draws: Draws) -> Tensor:
    for change in (changes.brightness, changes.contrast, changes.color):
        images = change(images, draws.uniform(1 - strength, 1 + strength).to(images.device))
    return images


def _erased(images: Tensor, probability: float, draws: Draws) -> Tensor:
    """Boxes of noise with the mean and deviation of all images (timm's mode ``pixel``); each shows its part of one field of noise."""
    side = images.shape[-1]
    erased = draws.uniform() < probability
    areas = side**2 * draws.uniform(*ERASED_AREA)
    low, high = map(math.log, ERASED_RATIO)
    ratios = draws.uniform(low, high).exp()
    inside = _inside((areas * ratios).sqrt(), side, draws)[:, :, None]
    inside = inside & _inside((areas / ratios).sqrt(), side, draws)[:, None, :] & erased[:, None, None]
    mean, deviation = (255 * torch.tensor(of).view(3, 1, 1) for of in (MEAN, STD))
    noise = mean + deviation * draws.noise(side)
    return torch.where(inside[:, None].to(images.device), noise.to(images.device), images)


def _inside(lengths: Tensor, side: int, draws: Draws) -> Tensor:
    """Which places of a line of ``side`` (B, side) lie in a stretch of that length (B,), somewhere on it."""
    lengths = lengths.round().clamp(1, side - 1)
    first = (draws.uniform() * (side - lengths + 1)).floor()
    places = torch.arange(side)
    return (places >= first[:, None]) & (places < (first + lengths)[:, None])
