"""All pictures of a set, counted: their sizes and shapes, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image

from dna_engine.images.check.facts import Facts, examine
from dna_engine.images.check.report import Finding, Findings, Level
from dna_engine.images.seen import Seen
from tests.untidy_pictures import deep_grey


def seen(sizes: Iterable[tuple[int, int]]) -> Seen:
    found = Seen()
    for width, height in sizes:
        found.add(width, height)
    return found


def told(found: Seen, input_size: int) -> dict[str, Finding]:
    findings = Findings()
    found.tell(findings, input_size)
    return {finding.code: finding for finding in findings.all()}


def test_a_set_is_described_by_its_middle_picture() -> None:
    mixed = seen([(8, 8), *[(300, 200)] * 3, (8_000, 6_000), (200, 400)])
    assert mixed.described == {"image_size": 200, "aspect_ratios": (0.5, 1.333, 1.5), "white": 65_535}
    assert told(mixed, 224).keys() == {"elongated"}


@pytest.mark.parametrize(("small", "warned"), [(5, False), (6, True)])
def test_a_warning_where_most_would_be_enlarged_more_than_twice(small: int, warned: bool) -> None:
    found = told(seen([(90, 111)] * small + [(112, 112)] * 3 + [(8_000, 8_000)] * 2), 224)
    assert ("enlarged" in found) == warned
    if warned:
        assert (found["enlarged"].count, found["enlarged"].level) == (small, Level.WARNING)


def test_long_pictures_are_counted_with_what_becomes_of_them() -> None:
    found = told(seen([(320, 64), (64, 320), (200, 100), (199, 100)]), 64)
    assert (found["elongated"].count, found["elongated"].level) == (3, Level.NOTE)


def test_what_is_white_comes_of_the_brightest_picture_of_all(tmp_path: Path) -> None:
    found = Seen()
    for number, white in enumerate((900, 3_000, 200)):
        (tmp_path / f"{number}.png").write_bytes(deep_grey("PNG", white))
    Image.new("RGB", (8, 8)).save(tmp_path / "colours.png")
    for path in tmp_path.iterdir():
        facts = examine(path)
        assert isinstance(facts, Facts)
        found.add(facts.width, facts.height, peak=facts.peak)
    assert found.described["white"] == 4_095
