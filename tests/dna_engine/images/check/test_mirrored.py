"""Classes that are each other's mirror images are found, and no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from dna_engine.images.albums import open_digits
from dna_engine.images.check import mirrored
from dna_engine.images.check.report import Findings, Level

Draw = Callable[[np.random.Generator], Image.Image]


def shape(*points: tuple[int, int], mirror: bool = False) -> Draw:
    """A shape on a noisy ground, now here and now there."""

    def draw(rng: np.random.Generator) -> Image.Image:
        picture = Image.fromarray(rng.integers(90, 140, (40, 40, 3), dtype=np.uint8))
        left, top = rng.integers(-3, 4, 2)
        moved = [(x + int(left), y + int(top)) for x, y in points]
        ImageDraw.Draw(picture).polygon(moved, fill=(230, 220, 40))
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirror else picture

    return draw


ARROW = ((5, 20), (25, 5), (25, 15), (36, 15), (36, 25), (25, 25), (25, 35))
LEFT, RIGHT = shape(*ARROW), shape(*ARROW, mirror=True)
UP = shape((20, 4), (35, 34), (5, 34))
BESIDE, ABOVE = shape((3, 3), (9, 3), (9, 37), (3, 37)), shape((3, 3), (37, 3), (37, 9), (3, 9))
BAR = shape((18, 4), (22, 4), (22, 36), (18, 36))


def noise(rng: np.random.Generator) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))


def found(*classes: Draw, count: int = 12) -> list[tuple[int, int]]:
    rng = np.random.default_rng(0)
    copies = [(mirrored.small_copies(draw(rng)), label) for label, draw in enumerate(classes) for _ in range(count)]
    originals, turned = (np.stack([pair[place] for pair, _ in copies]) for place in (0, 1))
    return list(mirrored.taken_for_others(originals, turned, [label for _, label in copies]))


def test_arrows_are_found_and_told() -> None:
    taken = found(LEFT, UP, RIGHT)
    assert taken == [(0, 2), (2, 0)]
    findings = Findings()
    mirrored.tell(findings, ["left", "up", "right"], taken)
    (finding,) = findings.all()
    assert (finding.level, finding.names) == (Level.WARNING, ["left like right", "right like left"])


@pytest.mark.parametrize(
    "classes",
    [[UP, BAR], [LEFT, UP, BAR], [noise, noise], [noise, LEFT], [BESIDE, ABOVE]],
    ids=["even", "one way", "noise", "alone", "unlike any"],
)
def test_what_survives_it_is_not(classes: Sequence[Draw]) -> None:
    assert found(*classes) == []
    findings = Findings()
    mirrored.tell(findings, ["a", "b"], [])
    assert findings.all() == []


def test_few_pictures_say_nothing() -> None:
    assert found(LEFT, RIGHT, count=mirrored.FEWEST - 1) == []
    assert found(LEFT, RIGHT, count=mirrored.FEWEST) == [(0, 1), (1, 0)]


def test_the_sample_is_bounded_and_spread() -> None:
    assert [len(places) for places in mirrored.sample([3, 1_000])] == [3, mirrored.MOST_OF_CLASS]
    assert sum(map(len, mirrored.sample([900] * 200))) == mirrored.MOST
    assert mirrored.sample([100, 25])[0][:3] == [0, 2, 4]
    assert not any(mirrored.sample([900] * 1_000)), "too few of each to say something"


def test_of_digits_few_are_taken_for_others() -> None:
    """Most mirrored digits look like no other; what is found are real likenesses."""
    album, _ = open_digits()
    copies = [mirrored.small_copies(album.picture(index)) for index in range(500)]
    originals, turned = (np.stack([pair[place] for pair in copies]) for place in (0, 1))
    assert len(list(mirrored.taken_for_others(originals, turned, album.labels[:500]))) <= 3
