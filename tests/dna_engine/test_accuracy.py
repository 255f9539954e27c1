"""What an accuracy says: intervals as published, levels of guessing, verdicts and comparisons in words."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from dna_engine.accuracy import Accuracy, Answers, compare, judge, standing, warning, wilson


def judged(images: Sequence[int], right: Sequence[int], given: Sequence[int] | None = None) -> Accuracy:
    """Wrong answers go to the other classes evenly enough, unless they are given."""
    return judge(Answers(images, right, given or images))


@pytest.mark.parametrize(
    ("right", "images", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_that_of_newcombes_table(right: int, images: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert wilson(right / images, images) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_all_right_ends_at_one() -> None:
    low, high = wilson(1.0, 20)
    assert low == pytest.approx(1 - 0.1611, abs=5e-5)
    assert high == 1.0


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_that_of_newcombes_table(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10."""
    first, second = (judged([n // 2, n - n // 2], [right // 2, right - right // 2]) for right, n in (one, other))
    interval = compare(first, second).interval
    assert interval == pytest.approx((low, high), abs=5e-5)


def test_answers_are_counted_by_class() -> None:
    counted = Answers.count([0, 0, 1, 2], [0, 1, 1, 1], 4)
    assert counted == Answers([2, 1, 1, 0], [1, 1, 0, 0], [1, 3, 0, 0])
    assert counted.accuracy == 0.5


def test_balanced_accuracy_is_the_mean_over_the_classes_that_there_are() -> None:
    found = judged([80, 10, 10, 0], [80, 5, 0, 0], [90, 8, 2, 0])
    assert found.accuracy == 0.85
    assert found.balanced_accuracy == pytest.approx((1 + 0.5 + 0) / 3)
    assert (found.images, found.chance, found.majority) == (100, 0.25, 0.8)
    assert found.verdict is None


def test_99_percent_of_100_to_1_is_one_class() -> None:
    found = judged([100, 1], [100, 0], [101, 0])
    assert found.accuracy == found.majority == pytest.approx(0.990, abs=1e-3)
    assert (found.balanced_accuracy, found.chance) == (0.5, 0.5)
    assert found.verdict == "answers one class only"


@pytest.mark.parametrize(
    ("images", "right", "given", "verdict"),
    [
        ([12] * 5, [12, 0, 0, 0, 0], [60, 0, 0, 0, 0], "answers one class only"),
        ([12] * 5, [6, 5, 3, 2, 1], [30, 10, 10, 5, 5], "at chance"),  # 17 of 60: the interval begins at 18.5%.
        ([12] * 5, [7, 5, 3, 2, 2], [30, 10, 10, 5, 5], None),  # 19 of 60: at 21.3%.
        ([100, 1], [100, 1], None, None),  # The one image of its class is found among 101.
        ([1000, 10], [990, 8], [992, 18], None),  # Below the commonest class's share, and far from guessing.
        ([1000, 10], [995, 0], [1005, 5], "at chance"),
        ([10, 0], [10, 0], None, "at chance"),  # One class in the test images: they can tell nothing.
    ],
)
def test_verdicts(images: list[int], right: list[int], given: list[int] | None, verdict: str | None) -> None:
    assert judged(images, right, given).verdict == verdict


def test_guessing_is_at_chance_and_little_learning_is_not() -> None:
    rng = random.Random(0)
    labels = [rng.choices(range(5), [16, 8, 4, 2, 1])[0] for _ in range(300)]

    def verdict(knows: float) -> str | None:
        answers = [label if rng.random() < knows else rng.choice(labels) for label in labels]
        return judge(Answers.count(labels, answers, 5)).verdict

    guessed = [verdict(0.0) for _ in range(200)]
    assert guessed.count("at chance") >= 190
    assert all(verdict(0.5) is None for _ in range(50))


@pytest.mark.parametrize(
    ("winner", "control", "says"),
    [
        (judged([50, 50], [48, 49]), judged([50, 50], [40, 40]), "The winner beats its control by 17.0 points"),
        (judged([50, 50], [40, 40]), judged([50, 50], [48, 49]), "The control beats the winner by 17.0 points"),
        (
            judged([50, 50], [48, 49]),
            judged([50, 50], [47, 48]),
            "100 test images do not tell winner from control",
        ),
        (judged([100, 1], [100, 0], [101, 0]), judged([100, 1], [50, 0]), "Neither the winner nor its control"),
        (judged([1000, 10], [990, 8]), judged([1000, 10], [1000, 0], [1010, 0]), "The winner beats its control, which"),
        (judged([1000, 10], [1000, 0], [1010, 0]), judged([1000, 10], [990, 8]), "The control beats the winner, which"),
    ],
)
def test_the_winner_beside_its_control_in_words(winner: Accuracy, control: Accuracy, says: str) -> None:
    comparison = compare(winner, control)
    low, high = comparison.interval
    assert standing(winner, control.accuracy) == ("better" if low > 0 else "worse" if high < 0 else "undecided")
    assert comparison.says.startswith(says)
    assert comparison.difference == winner.accuracy - control.accuracy
    assert comparison.interval[0] < comparison.difference < comparison.interval[1]
    assert len(comparison.says) < 80


def test_what_taught_nothing_is_told_with_the_levels_of_guessing() -> None:
    assert warning("winner", judged([12] * 5, [10] * 5)) is None
    said = warning("winner", judged([100, 1], [100, 0], [101, 0]))
    assert said is not None
    assert said.startswith(
        "winner: answers one class only. 99.01% of 101 test images are right (95% interval 94.6% to 99.8%)"
    )
