"""Unequal and tiny classes are told in words, equal ones in none."""

from __future__ import annotations

from dna_engine.images.check.balance import FEW, UNEQUAL, warnings

NAMES = ["bee", "cat", "dog", "elk", "fox", "gnu"]


def classes(*sizes: int) -> list[int]:
    return [number for number, size in enumerate(sizes) for _ in range(size)]


def test_classes_of_a_size_are_not_spoken_of() -> None:
    assert warnings(NAMES, classes(40, 48, 90), classes(FEW, 12, 20)) == []


def test_a_class_that_drowns_in_another_is_named_with_what_it_does_to_an_accuracy() -> None:
    told = warnings(NAMES, classes(400, 4), classes(100, 1))
    assert len(told) == 2
    assert "400 images of bee to train with and 4 of cat" in told[0]
    assert "99.0% of the test images" in told[0]
    assert told[1].startswith("There are few test images: 1 of cat. ")
    assert warnings(NAMES, classes(10 * UNEQUAL - 1, 10), classes(30, 30)) == []
    assert len(warnings(NAMES, classes(10 * UNEQUAL, 10), classes(30, 30))) == 1


def test_of_many_tiny_classes_the_smallest_are_named_and_the_others_counted() -> None:
    (told,) = warnings(NAMES, classes(9, 9, 9, 9, 9, 9), classes(2, 3, 1, 4, 2, 3))
    assert "1 of dog, 2 of bee, 2 of fox and as few of 3 more classes" in told


def test_classes_without_names_are_told_by_their_numbers() -> None:
    (told,) = warnings([], classes(9, 9), classes(8, 1))
    assert "1 of class 1" in told
