"""Draws the control: a random network that costs what the winner costs, which is what the search has to beat. Torch-free.

Networks of a given cost may be a millionth of the space, so they are not found by drawing from all. Drawn with
probability proportional to exp(-tilt * flops), they are common at the tilt whose mean is the cost wanted; and among
networks of equal cost that draw is fair. Inside the band, rejection by the same exponential makes it exactly uniform.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dna_engine.errors import EngineError
from dna_engine.select import Network, Problem
from dna_engine.select.trellis import FLOPS, Trellis

#: A control's flops lie this close to the winner's, as a share of them.
BAND = 0.03
#: Networks drawn in search of a control.
DRAWS = 5_000


def draw_control(problem: Problem, winner: Network, limits: Mapping[str, int], seed: int) -> Network:
    """A network drawn uniformly from those that have flops within 3% of the winner's, fit the limits and differ from it.

    Its rating plays no part. Where :data:`DRAWS` draws give none, the nearest of them in flops that fits the limits, or
    the nearest at all.

    Raises:
        EngineError: the draws gave nothing but the winner.
    """
    rng = np.random.default_rng([seed, 0xC0])
    target = winner.costs["flops"]
    lowest, highest = target * (1 - BAND), min(target * (1 + BAND), limits.get("flops", math.inf))
    tilted = _at_mean(problem.trellis, (lowest + highest) / 2)
    edge = highest if tilted.tilt > 0 else lowest
    for network in _others(problem, winner, tilted.draws(rng, DRAWS)):
        flops = network.costs["flops"]
        fair = rng.random() <= math.exp(min(0.0, tilted.tilt * (flops - edge)))
        if lowest <= flops <= highest and _fits(network, limits) and fair:
            return network
    drawn = [*_others(problem, winner, tilted.draws(rng, DRAWS))]
    drawn += _others(problem, winner, _Tilted(problem.trellis, 0.0).draws(rng, DRAWS))
    if not drawn:
        raise EngineError(
            "The space has no network beside the winner to compare it with. Widen the space, or set retrain.control to "
            "false.",
            param="retrain.control",
        )
    return min(drawn, key=lambda network: (not _fits(network, limits), abs(network.costs["flops"] - target)))


def _others(problem: Problem, winner: Network, draws: Iterator[tuple[int, ...]]) -> Iterator[Network]:
    """The networks drawn, without the winner; one that comes again is looked up."""
    known: dict[tuple[int, ...], Network] = {}
    for positions in draws:
        if positions not in known:
            known[positions] = problem.network(positions)
        if known[positions].choices != winner.choices:
            yield known[positions]


def _fits(network: Network, limits: Mapping[str, int]) -> bool:
    return all(network.costs[name] <= limit for name, limit in limits.items())


@dataclass(frozen=True, eq=False)
class _Fork:
    """The items that may follow one width in a block, over all its arcs.

    Attributes:
        position, target: shape ``(items,)``: the path and the width it leads to.
        cumulative: shape ``(items,)``, of the probabilities.
    """

    position: NDArray[np.int64]
    target: NDArray[np.int64]
    cumulative: NDArray[np.float64]


class _Tilted:
    """Networks with probability proportional to exp(-tilt * flops); ``mean`` are their expected flops."""

    def __init__(self, trellis: Trellis, tilt: float) -> None:
        self.tilt, self._start = tilt, trellis.start
        self._stages: list[dict[int, _Fork]] = []
        log_sum: dict[int, float] = {arc.target: 0.0 for arc in trellis.stages[-1]}
        mean = dict(log_sum)
        for arcs in reversed(trellis.stages):
            forks, sums, means = {}, {}, {}
            for width in {arc.source for arc in arcs}:
                here = [arc for arc in arcs if arc.source == width]
                costs = np.concatenate([arc.costs[FLOPS] for arc in here])
                target = np.concatenate([np.full(len(arc.position), arc.target) for arc in here])
                weights = -tilt * costs + np.concatenate([np.full(len(a.position), log_sum[a.target]) for a in here])
                sums[width] = float(weights.max() + np.log(np.exp(weights - weights.max()).sum()))
                chance = np.exp(weights - sums[width])
                after = np.concatenate([np.full(len(a.position), mean[a.target]) for a in here])
                means[width] = float((chance * (costs + after)).sum())
                forks[width] = _Fork(np.concatenate([arc.position for arc in here]), target, chance.cumsum())
            self._stages.insert(0, forks)
            log_sum, mean = sums, means
        self.mean = mean[trellis.start]

    def draws(self, rng: np.random.Generator, count: int) -> Iterator[tuple[int, ...]]:
        """The positions of ``count`` networks, each drawn anew."""
        for _ in range(count):
            width, positions = self._start, []
            for forks in self._stages:
                fork = forks[width]
                item = min(int(np.searchsorted(fork.cumulative, rng.random(), side="right")), len(fork.position) - 1)
                positions.append(int(fork.position[item]))
                width = int(fork.target[item])
            yield tuple(positions)


def _at_mean(trellis: Trellis, flops: float) -> _Tilted:
    """The tilt at which networks have these flops on average, or the nearest that can be had."""
    low, high = -1e3 / flops, 1e3 / flops
    for _ in range(40):
        middle = _Tilted(trellis, (low + high) / 2)
        if middle.mean > flops:
            low = middle.tilt
        else:
            high = middle.tilt
    return middle
