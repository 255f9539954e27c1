"""Two images in one: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019), as timm does both, a whole batch alike."""

from __future__ import annotations

import random

from torch import Tensor

from dna_engine.recipes import Numbers


def mixed(images: Tensor, numbers: Numbers, rng: random.Random) -> tuple[Tensor, float]:
    """The batch (B, 3, S, S), each image with something of its partner, the one as far from the batch's end as itself from its beginning;
    and the share that is still its own, 0 to 1: what its label keeps, the rest is the partner's.
    """
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(numbers, kind)]
    if not kinds or rng.random() >= numbers.mix_probability:
        return images, 1.0
    kind = rng.choice(kinds)
    alpha = getattr(numbers, kind)
    share = rng.betavariate(alpha, alpha)
    return _averaged(images, share) if kind == "mixup" else _cut(images, share, rng)


def _averaged(images: Tensor, share: float) -> tuple[Tensor, float]:
    return images * share + images.flip(0) * (1 - share), share


def _cut(images: Tensor, share: float, rng: random.Random) -> tuple[Tensor, float]:
    """A square of the partner, around a place anywhere: what of it lies outside is lost, and the share is counted."""
    side = images.shape[-1]
    half = side * (1 - share) ** 0.5 / 2
    (top, bottom), (left, right) = (_span(rng.randrange(side), half, side) for _ in range(2))
    cut = images.clone()
    cut[:, :, top:bottom, left:right] = images.flip(0)[:, :, top:bottom, left:right]
    return cut, 1 - (bottom - top) * (right - left) / side**2


def _span(middle: int, half: float, side: int) -> tuple[int, int]:
    return max(0, round(middle - half)), min(side, round(middle + half))
