"""The random numbers of a batch: drawn on the CPU, one for each image, in the order in which they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dna_engine.runtime.team import ALONE, Team


@dataclass(frozen=True)
class Draws:
    """All that is drawn is (B,), but the noise; of a process in a team, what its share of the images has in the whole batch.

    Attributes:
        generator: what all is drawn from.
        count: images in the whole batch.
        team: which share of it.
    """

    generator: torch.Generator
    count: int
    team: Team = ALONE

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """From low to high."""
        return self.team.share(low + (high - low) * torch.rand(self.count, generator=self.generator))

    def normal(self) -> Tensor:
        """Of mean 0 and deviation 1."""
        return self.team.share(torch.randn(self.count, generator=self.generator))

    def below(self, most: int) -> Tensor:
        """Whole numbers from 0."""
        return self.team.share(torch.randint(most, (self.count,), generator=self.generator))

    def signs(self) -> Tensor:
        """-1 or 1."""
        return self.below(2) * 2.0 - 1

    def noise(self, side: int) -> Tensor:
        """One field (3, side, side) for all images, of mean 0 and deviation 1."""
        return torch.randn(3, side, side, generator=self.generator)
