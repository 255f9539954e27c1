"""The expected calibration error on numbers that a person can follow."""

from __future__ import annotations

from math import isnan, nan

import pytest

from dna_engine.calibration import calibration_error


def test_it_is_the_mean_distance_of_confidence_and_accuracy_by_bins() -> None:
    """Two images in the bin above 8/15 (0.55 and 0.59, one right), one at 1 that is right, one at 0.9 that is wrong."""
    error = calibration_error([0.55, 0.59, 1.0, 0.9], [True, False, True, False])
    assert error == pytest.approx((2 * abs(0.5 - 0.57) + 0 + 0.9) / 4)


def test_bins_hold_their_upper_ends() -> None:
    """Of 1/15 and 2/15 one is right: apart, each is off by itself; together the two would make up for one another."""
    assert calibration_error([1 / 15, 2 / 15], [True, False]) == pytest.approx((14 / 15 + 2 / 15) / 2)


def test_what_diverged_has_none() -> None:
    assert isnan(calibration_error([0.5, nan], [True, False]))
