"""True accuracies of networks, beside what each costs; and what a rating of them is worth to whoever has a budget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.agreement import Floats, Interval, draws, interval
from benchmarks.macro.space import KERNELS, OPS, cost, networks

#: Of the flops of all networks; at each lies a budget, and a band.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
#: Width of a band of flops, relative to its middle.
BAND = 0.03

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Truth:
    """Networks whose accuracies are known.

    Attributes:
        names: of ``space.networks``.
        accuracy: in percent, of shape (trainings, networks).
        flops, params: by formula.
        disagreeing: networks whose cost in the file is another.
    """

    names: list[str]
    accuracy: Floats
    flops: Floats
    params: Floats
    disagreeing: list[str]

    @classmethod
    def read(cls, file: Path) -> Truth:
        """``{"networks": {NAME: {"acc": [PERCENT, ...], "flops": .., "params": ..}}}``, costs where they are known."""
        known = json.loads(file.read_text())["networks"]
        names = sorted(known)
        costs = {name: vars(cost(name)) for name in names}
        return cls(
            names=names,
            accuracy=np.array([known[name]["acc"] for name in names]).T,
            flops=np.array([costs[name]["flops"] for name in names], dtype=np.float64),
            params=np.array([costs[name]["params"] for name in names], dtype=np.float64),
            disagreeing=[name for name in names if not costs[name].items() <= (costs[name] | known[name]).items()],
        )

    @cached_property
    def mean(self) -> Floats:
        """Accuracy in percent over all trainings."""
        return np.asarray(self.accuracy.mean(0))

    @property
    def large_kernels(self) -> Floats:
        """How many layers of each have a kernel of 5."""
        largest = max(KERNELS, key=lambda op: KERNELS[op])
        return np.array([name.count(largest) for name in self.names], dtype=np.float64)

    def of(self, scored: Mapping[str, Floats]) -> dict[str, Floats]:
        """What scores of the whole space, in ascending order of the networks, say about those of the truth."""
        places = [int(name, len(OPS)) for name in self.names]
        return {kind: rating[places] for kind, rating in scored.items()}

    @cached_property
    def budgets(self) -> list[float]:
        """Flops, the same whichever networks are known."""
        return [float(value) for value in np.quantile([cost(name).flops for name in networks()], QUANTILES)]

    def band(self, budget: float) -> Places:
        """Places of the networks around a budget."""
        return np.flatnonzero(np.abs(self.flops / budget - 1) <= BAND / 2)

    def within(self, budget: float) -> Places:
        """Places of the networks that cost no more."""
        return np.flatnonzero(self.flops <= budget)

    def of_that_cost(self, budget: float) -> Places:
        """Places of the networks that cost no more, and hardly less."""
        return np.flatnonzero((self.flops <= budget) & (self.flops > budget * (1 - BAND)))


def regret(rating: Floats, accuracy: Floats, *, seed: int = 0) -> Interval:
    """Points by which the network of the least rating lies below the most accurate one, both of shape (networks,)."""
    drawn = draws(len(accuracy), seed) > 0
    picked = accuracy[np.where(drawn, rating, np.inf).argmin(1)]
    best = np.where(drawn, accuracy, -np.inf).max(1)
    return interval(float(accuracy.max() - accuracy[rating.argmin()]), best - picked)
