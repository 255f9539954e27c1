"""How far the values of feature maps are spread, found from parts of them in double precision."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass
class Spread:
    """Running spread of all elements of some maps."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, maps: Tensor) -> None:
        values = maps.double()
        self.count += values.numel()
        self.total += values.sum().item()
        self.squares += values.square().sum().item()

    @property
    def deviation(self) -> float:
        """Standard deviation of the values as they are."""
        return math.sqrt(self.squares / self.count - (self.total / self.count) ** 2)

    @property
    def variance(self) -> float:
        """Variance as of a sample, as :meth:`torch.Tensor.var` gives it."""
        return (self.squares - self.total**2 / self.count) / (self.count - 1)
