"""How well one ordering of networks agrees with another: Kendall's tau with bootstrap intervals.

A tau of a few dozen networks is uncertain, and the networks are what was sampled; so intervals come from drawing the
networks again with replacement. Two ratings are compared on the same draws, which cancels what they share.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau

Floats = NDArray[np.float64]
#: A rating of some networks and the truth about them, both of shape ``(networks,)``.
Rated = tuple[ArrayLike, ArrayLike]

#: Times that the networks are drawn again.
DRAWS = 2000
#: Share of the draws that an interval covers.
COVERAGE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and the percentiles between which 95% of the bootstrap's estimates lie."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def kendall_tau(first: ArrayLike, second: ArrayLike) -> float:
    """Kendall's tau-b of two ratings of the same networks, from -1 to 1; 0 where one of them tells nothing apart."""
    return float(np.nan_to_num(kendalltau(first, second).statistic))


def agreement(rating: ArrayLike, truth: ArrayLike, *, seed: int = 0) -> Interval:
    """Tau of a rating and the truth, both of shape ``(networks,)``."""
    return mean_agreement([(rating, truth)], seed=seed)


def mean_agreement(groups: Sequence[Rated], *, seed: int = 0) -> Interval:
    """Mean of the taus of several groups of networks, each drawn again on its own."""
    return interval(_mean_tau(groups), _drawn_taus(groups, seed))


def difference(first: ArrayLike, second: ArrayLike, truth: ArrayLike, *, seed: int = 0) -> Interval:
    """How much better the first rating agrees with the truth than the second, on the same draws of networks."""
    return mean_difference([(first, truth)], [(second, truth)], seed=seed)


def mean_difference(first: Sequence[Rated], second: Sequence[Rated], *, seed: int = 0) -> Interval:
    """The same in the mean over several groups."""
    apart = _drawn_taus(first, seed) - _drawn_taus(second, seed)
    return interval(_mean_tau(first) - _mean_tau(second), apart)


def _mean_tau(groups: Sequence[Rated]) -> float:
    return float(np.mean([kendall_tau(rating, truth) for rating, truth in groups]))


def _drawn_taus(groups: Sequence[Rated], seed: int) -> Floats:
    """The mean over the groups for each time that all are drawn again."""
    taus = [
        _taus(_signs(rating), _signs(truth), draws(len(np.asarray(truth)), seed + place))
        for place, (rating, truth) in enumerate(groups)
    ]
    return np.asarray(np.mean(taus, 0))


def ceiling(runs: Sequence[ArrayLike], *, seed: int = 0) -> Interval:
    """Mean tau over pairs of repetitions of the truth, ``(networks,)`` each.

    It says how much of the truth is noise. The mean of several repetitions is less noisy than one, so a rating may
    agree with the mean somewhat better than repetitions agree with each other.
    """
    drawn = draws(len(np.asarray(runs[0])), seed)
    pairs = list(itertools.combinations(runs, 2))
    value = float(np.mean([kendall_tau(a, b) for a, b in pairs]))
    taus = np.array([_taus(_signs(a), _signs(b), drawn) for a, b in pairs])
    return interval(value, taus.mean(0))


def draws(count: int, seed: int) -> Floats:
    """How often each network is drawn, one row for each time that all are drawn again."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS).astype(np.float64)


def interval(value: float, drawn: Floats) -> Interval:
    """An estimate beside those of all draws, of shape ``(draws,)``."""
    low, high = np.quantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(value, float(low), float(high))


def _signs(values: ArrayLike) -> Floats:
    """Entry (i, j) is 1 where i is larger than j, -1 where smaller."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.sign(numbers[:, None] - numbers[None, :])


def _taus(first: Floats, second: Floats, drawn: Floats) -> Floats:
    """Tau-b for each row of ``drawn``, all at once; a network drawn twice is tied with itself and so adds no pair."""

    def over_pairs(values: Floats) -> Floats:
        return np.asarray(((drawn @ values) * drawn).sum(1))

    scale = np.sqrt(over_pairs(first * first) * over_pairs(second * second))
    return np.divide(over_pairs(first * second), scale, out=np.zeros(len(drawn)), where=scale > 0)
