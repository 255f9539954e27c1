"""Kendall's tau and its intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from benchmarks.agreement import (
    _signs,
    _taus,
    agreement,
    ceiling,
    difference,
    draws,
    kendall_tau,
    mean_agreement,
    mean_difference,
)


@pytest.mark.parametrize("ties", [False, True])
def test_tau_of_every_draw_is_scipys(ties: bool) -> None:
    """A network that is drawn twice is there twice."""
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 4, 40) if ties else rng.normal(size=40) for _ in range(2))
    drawn = draws(40, 0)[:20]
    for weights, tau in zip(drawn, _taus(_signs(first), _signs(second), drawn), strict=True):
        again = np.repeat(np.arange(40), weights.astype(int))
        assert tau == pytest.approx(kendalltau(first[again], second[again]).statistic)


def test_a_rating_that_tells_nothing_apart_agrees_with_nothing() -> None:
    assert kendall_tau([1, 1, 1], [1, 2, 3]) == 0


def test_perfect_agreement_is_certain() -> None:
    found = agreement(range(12), range(12))
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    assert agreement(range(12), range(12, 0, -1)).value == pytest.approx(-1)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of two normal variables with correlation r, tau is 2 / pi asin(r)."""
    rng = np.random.default_rng(1)
    correlation, hits, studies = 0.6, 0, 60
    truth = 2 / np.pi * np.arcsin(correlation)
    for _ in range(studies):
        x, noise = rng.normal(size=(2, 24))
        found = agreement(correlation * x + np.sqrt(1 - correlation**2) * noise, x)
        hits += found.low <= truth <= found.high
    assert hits >= 0.85 * studies


def test_a_paired_difference_is_surer_than_the_two_intervals() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=30)
    shared = truth + rng.normal(size=30)
    better, worse = shared, shared + 0.3 * rng.normal(size=30)
    paired = difference(better, worse, truth)
    alone = agreement(better, truth)
    assert paired.value == pytest.approx(kendall_tau(better, truth) - kendall_tau(worse, truth))
    assert paired.high - paired.low < alone.high - alone.low
    assert (swapped := difference(worse, better, truth)).low == pytest.approx(-paired.high)
    assert swapped.value == -paired.value


def test_the_mean_over_groups_is_surer_than_each() -> None:
    rng = np.random.default_rng(3)
    truths = rng.normal(size=(4, 25))
    better, worse = truths + rng.normal(size=truths.shape), truths + 3 * rng.normal(size=truths.shape)
    groups, others = list(zip(better, truths, strict=True)), list(zip(worse, truths, strict=True))
    found = mean_agreement(groups)
    alone = [agreement(*group) for group in groups]
    assert found.value == pytest.approx(np.mean([one.value for one in alone]))
    assert found.high - found.low < min(one.high - one.low for one in alone)
    apart = mean_difference(groups, others)
    assert apart.value == pytest.approx(found.value - mean_agreement(others).value)
    assert apart.low > 0


def test_the_ceiling_is_the_mean_over_pairs_of_repetitions() -> None:
    runs = [[1, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4]]
    pairs = [kendall_tau(runs[0], runs[1]), kendall_tau(runs[0], runs[2]), kendall_tau(runs[1], runs[2])]
    found = ceiling(runs)
    assert found.value == pytest.approx(sum(pairs) / 3)
    assert found.low <= found.value <= found.high


def test_an_interval_reads_as_estimate_and_bounds() -> None:
    assert str(agreement(range(5), range(5))) == "+1.00 [+1.00, +1.00]"
