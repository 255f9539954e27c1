"""What the sizes of the classes do to an accuracy, in words. Torch-free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dna_engine.images.check.report import Findings, Level

#: With so few test images a class weighs next to nothing in an accuracy, and its own share of right answers is luck.
FEW = 5
#: Times as many training images as the smallest class has, from which on a network may learn the largest class alone.
UNEQUAL = 10
#: With fewer images to train with a class is hardly learned.
TINY = 10
#: Classes that are named before the others are counted.
_NAMED = 3


def warnings(names: Sequence[str], train: Sequence[int], test: Sequence[int]) -> list[str]:
    """One sentence for each thing that makes an accuracy on these images say little; none where the classes are of a size.

    Args:
        names: of the classes; where there are none, their numbers stand for them.
        train: the class of every training image.
        test: the class of every test image.
    """
    names = names or [f"class {number}" for number in range(max(train) + 1)]
    return [*_unequal(names, Counter(train), Counter(test)), *_few(names, Counter(test))]


def tell(findings: Findings, names: Sequence[str], train: Counter[int], test: Counter[int]) -> None:
    """Adds the same to what a check has found, and classes of very few images to train with."""
    for sentence in _unequal(names, train, test):
        findings.add("unequal_classes", Level.WARNING, sentence)
    for sentence in _few(names, test):
        findings.add("few_test_images", Level.WARNING, sentence, count=sum(count < FEW for count in test.values()))
    tiny = [f"{train[number]} of {names[number]}" for number in sorted(train) if train[number] < TINY]
    if tiny:
        findings.add(
            "tiny_classes",
            Level.WARNING,
            f"Of fewer than {TINY} images to train with a class is hardly learned: add images, or leave the class out.",
            tiny,
        )


def _unequal(names: Sequence[str], train: Counter[int], test: Counter[int]) -> Iterator[str]:
    largest, smallest = max(train, key=lambda number: train[number]), min(train, key=lambda number: train[number])
    if train[largest] >= UNEQUAL * train[smallest]:
        always = max(test.values()) / test.total()
        yield (
            f"The classes are unequal: {train[largest]:,} images of {names[largest]} to train with and {train[smallest]:,} of "
            f"{names[smallest]}. A network that answers one class only is right on {always:.1%} of the test images: go by the "
            "balanced accuracy, and add images to the small classes."
        )


def _few(names: Sequence[str], test: Counter[int]) -> Iterator[str]:
    few = sorted((number for number in test if test[number] < FEW), key=lambda number: (test[number], number))
    if few:
        named = ", ".join(f"{test[number]} of {names[number]}" for number in few[:_NAMED])
        more = f" and as few of {len(few) - _NAMED:,} more classes" if len(few) > _NAMED else ""
        yield (
            f"There are few test images: {named}{more}. Whether a network knows such a class cannot be told from so few; "
            "add images to it."
        )
