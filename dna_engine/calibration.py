"""Whether a classifier is as often right as it says that it is. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

#: Bins of equal width, as many as the source takes.
BINS = 15


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """The expected calibration error (ECE): 0 where of the images with a confidence of 0.8 a share of 0.8 is right, 1 at worst.

    Source: Guo et al., On Calibration of Modern Neural Networks (ICML 2017), equation 3: the images are put into 15 bins of equal
    width, (0, 1/15], (1/15, 2/15] and so on, by the confidence; the error is the mean over the images of the distance between
    the mean confidence and the accuracy of their bin.

    Args:
        confidences: of each image the probability (softmax) of the class that was answered, above 0 and at most 1.
        right: of each image whether that class was its own.

    Returns:
        NaN where a probability is none, as of a network that diverged.
    """
    confidence, correct = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    if not np.isfinite(confidence).all():
        return nan
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    # The size of a bin times the distance in it is the distance between its two sums.
    distances = np.abs(np.bincount(bins, correct, BINS) - np.bincount(bins, confidence, BINS))
    return float(distances.sum() / len(confidence))
