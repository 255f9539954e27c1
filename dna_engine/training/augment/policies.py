"""Which changes an image gets, and how strong: RandAugment and AutoAugment, their numbers as timm has them.

Drawn on the CPU for each image by itself; images that get the same change are changed together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from timm.data.auto_augment import auto_augment_policy
from torch import Tensor

from dna_engine.training.augment import changes
from dna_engine.training.augment.draws import Draws

#: Magnitudes go from 0 to this.
FULL = 10.0
#: RandAugment's magnitude is normally distributed around the one asked for, by this; each change comes with this probability.
SPREAD, PROBABILITY = 0.5, 0.5


@dataclass(frozen=True)
class Change:
    """What is done, and by what amount.

    Attributes:
        apply: see :mod:`dna_engine.training.augment.changes`.
        amount: of a share 0 to 1 of the full magnitude and a sign, -1 or 1.
    """

    apply: Callable[[Tensor, Tensor], Tensor]
    amount: Callable[[Tensor, Tensor], Tensor]


def _none(share: Tensor, _: Tensor) -> Tensor:
    return share


def _factor(share: Tensor, _: Tensor) -> Tensor:
    return 0.1 + 1.8 * share


def _around_one(share: Tensor, sign: Tensor) -> Tensor:
    return (1 + 0.9 * share * sign).clamp(min=0.1)


def _up_to(most: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda share, sign: most * share * sign


#: By timm's names. A bit is kept at least: what is black shows nothing. Those called increasing change the more, the larger the magnitude; the others of the same kind as in AutoAugment.
CHANGES: Mapping[str, Change] = {
    "AutoContrast": Change(changes.autocontrast, _none),
    "Equalize": Change(changes.equalize, _none),
    "Invert": Change(changes.invert, _none),
    "Rotate": Change(changes.rotate, _up_to(30.0)),
    "Posterize": Change(changes.posterize, lambda share, _: (4 * share).floor().clamp(min=1)),
    "PosterizeIncreasing": Change(changes.posterize, lambda share, _: (4 - (4 * share).floor()).clamp(min=1)),
    "Solarize": Change(changes.solarize, lambda share, _: (256 * share).floor()),
    "SolarizeIncreasing": Change(changes.solarize, lambda share, _: 256 - (256 * share).floor()),
    "SolarizeAdd": Change(changes.solarize_add, lambda share, _: 110 * share),
    "Color": Change(changes.color, _factor),
    "ColorIncreasing": Change(changes.color, _around_one),
    "Contrast": Change(changes.contrast, _factor),
    "ContrastIncreasing": Change(changes.contrast, _around_one),
    "BrightnessIncreasing": Change(changes.brightness, _around_one),
    "SharpnessIncreasing": Change(changes.sharpness, _around_one),
    "ShearX": Change(changes.shear_x, _up_to(0.3)),
    "ShearY": Change(changes.shear_y, _up_to(0.3)),
    "TranslateXRel": Change(changes.translate_x, _up_to(0.45)),
    "TranslateYRel": Change(changes.translate_y, _up_to(0.45)),
}

#: What RandAugment draws from, each as likely.
RANDOM = (
    "AutoContrast", "Equalize", "Invert", "Rotate", "PosterizeIncreasing", "SolarizeIncreasing", "SolarizeAdd",
    "ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing", "ShearX", "ShearY",
    "TranslateXRel", "TranslateYRel",
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """One change for each image of a batch, all (B,) on the CPU.

    Attributes:
        numbers: of a change in the policy's ``names``; -1 for none.
        shares: of the full magnitude, 0 to 1.
        signs: -1 or 1.
    """

    numbers: Tensor
    shares: Tensor
    signs: Tensor


class Policy(Protocol):
    """Draws the changes of each image of a batch, in the order in which they are made."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def draw(self, draws: Draws) -> list[Drawn]: ...


@dataclass(frozen=True)
class RandAugment:
    """Changes drawn evenly from :data:`RANDOM`, each made with probability one half (Cubuk et al. 2020; timm's ``rand-mM-mstd0.5-inc1``).

    Attributes:
        magnitude: 0 to 10.
        layers: changes an image.
    """

    magnitude: float
    layers: int
    names: tuple[str, ...] = RANDOM

    def draw(self, draws: Draws) -> list[Drawn]:
        return [self._layer(draws) for _ in range(self.layers)]

    def _layer(self, draws: Draws) -> Drawn:
        numbers = draws.below(len(self.names)).where(draws.uniform() < PROBABILITY, -1)
        magnitudes = self.magnitude + SPREAD * draws.normal()
        return Drawn(numbers, magnitudes.clamp(0, FULL) / FULL, draws.signs())


@dataclass(frozen=True)
class AutoAugment:
    """One of 25 pairs of changes, drawn evenly, each change with its own probability and magnitude (Cubuk et al. 2019); the pairs of
    EfficientNet's own training, timm's ``v0``.
    """

    names: tuple[str, ...] = tuple(CHANGES)

    def draw(self, draws: Draws) -> list[Drawn]:
        numbers, probabilities, shares = _pairs()
        pairs = draws.below(len(numbers))
        return [
            Drawn(
                numbers[pairs, place].where(draws.uniform() < probabilities[pairs, place], -1),
                shares[pairs, place],
                draws.signs(),
            )
            for place in (0, 1)
        ]


@cache
def _pairs() -> tuple[Tensor, Tensor, Tensor]:
    """Of every pair (25, 2): numbers of changes, their probabilities, their shares of the full magnitude."""
    pairs = auto_augment_policy("v0", {})  # type: ignore[no-untyped-call]
    names = list(CHANGES)
    return (
        torch.tensor([[names.index(change.name) for change in pair] for pair in pairs]),
        torch.tensor([[change.prob for change in pair] for pair in pairs]),
        torch.tensor([[change.magnitude / FULL for change in pair] for pair in pairs]),
    )


def changed(images: Tensor, policy: Policy, draws: Draws) -> Tensor:
    """The batch (B, 3, S, S) of bytes, each image by what the policy draws for it."""
    images, device = images.clone(), images.device
    for drawn in policy.draw(draws):
        for number, name in enumerate(policy.names):
            chosen = (drawn.numbers == number).nonzero().flatten()
            if len(chosen):
                change, places = CHANGES[name], chosen.to(device)
                amounts = change.amount(drawn.shares[chosen], drawn.signs[chosen])
                images[places] = change.apply(images[places], amounts.to(device))
    return images
