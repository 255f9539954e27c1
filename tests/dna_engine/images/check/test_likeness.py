"""The hint that labels were exchanged: bounded however much there is, and silent where it knows too little."""

from __future__ import annotations

import numpy as np
import pytest

from dna_engine.images.check.likeness import FEWEST, MOST, MOST_OF_CLASS, Sampled, sample, tell
from dna_engine.images.check.report import Findings

NAMES = ["bee", "cat", "dog"]


@pytest.mark.parametrize("sizes", [[5], [50_000, 3], [1300] * 1000, [10**7] * 10])
def test_no_more_are_looked_at_than_may_be(sizes: list[int]) -> None:
    chosen = sample(sizes)
    assert len(chosen) == len(sizes)
    assert sum(map(len, chosen)) <= MOST
    for size, indices in zip(sizes, chosen, strict=True):
        assert len(indices) <= min(size, MOST_OF_CLASS)
        assert len(set(indices)) == len(indices)
        assert all(0 <= index < size for index in indices)


def blobs(labels: list[int], seed: int, spread: float = 1.0) -> Sampled:
    """Points around one centre for each label."""
    around = np.random.default_rng(seed).normal(0, spread, (len(labels), 4))
    return Sampled(np.array([[4.0 * label, 0, 0, 0] for label in labels]) + around, np.array(labels))


def told(train: Sampled, test: Sampled) -> list[str]:
    findings = Findings()
    tell(findings, NAMES, train, test)
    return [name for finding in findings.all() for name in finding.names]


def test_classes_are_told_that_look_like_another_in_the_other_split() -> None:
    truth = [label for label in range(3) for _ in range(40)]
    train, test = blobs(truth, 1), blobs(truth, 2)
    assert told(train, test) == []
    exchanged = np.array([{0: 1, 1: 0, 2: 2}[label] for label in truth])
    assert told(train, Sampled(test.vectors, exchanged)) == ["bee like cat", "cat like bee"]
    some = np.where(np.arange(len(truth)) % 2 == 0, exchanged, truth)
    assert told(train, Sampled(test.vectors, some)) == ["bee like cat", "cat like bee"]


def test_nothing_is_said_of_classes_that_look_alike_or_are_tiny() -> None:
    truth = [label for label in range(3) for _ in range(40)]
    alike = blobs(truth, 1, spread=50.0)
    assert told(alike, blobs(truth, 2, spread=50.0)) == []
    few = [label for label in range(3) for _ in range(FEWEST - 1)]
    test = blobs(few, 2)
    assert told(blobs(truth, 1), Sampled(test.vectors, (test.labels + 1) % 3)) == []
