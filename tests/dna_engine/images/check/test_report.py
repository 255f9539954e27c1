"""What the check of a dataset says: counted, named by the first few, the gravest first."""

from __future__ import annotations

from dna_engine.images.check.report import NAMED, Findings, Level, Report, Sizes


def test_what_comes_again_is_counted_and_the_first_few_are_named() -> None:
    findings = Findings()
    for number in range(53):
        findings.add("greyscale", Level.NOTE, "Grey pictures.", [f"{number}.jpg"])
    [found] = findings.all()
    assert (found.count, found.names) == (53, [f"{number}.jpg" for number in range(NAMED)])
    assert found.sentence == "Grey pictures. (53: 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 48 more)"


def test_what_another_has_found_adds_up_with_what_is_known() -> None:
    first, second = Findings(), Findings()
    first.add("empty", Level.NOTE, "Empty files.", ["a"])
    second.add("empty", Level.NOTE, "Empty files.", ["b"], count=10)
    first.take(second.all())
    [found] = first.all()
    assert (found.count, found.names) == (11, ["a", "b"])


def test_errors_come_first_then_warnings_then_notes() -> None:
    findings = Findings()
    for level in Level:
        findings.add(level.value, level, "Something.")
    assert [finding.level for finding in findings.all()] == [Level.ERROR, Level.WARNING, Level.NOTE]


def test_a_finding_without_names_is_its_text() -> None:
    findings = Findings()
    findings.add("unequal", Level.WARNING, "The classes are unequal.")
    assert [finding.sentence for finding in findings.all()] == ["The classes are unequal."]


def test_sizes_from_eight_to_eight_thousand_pixels_go_into_one_histogram() -> None:
    sizes = Sizes.of({8: 1, 15: 2, 16: 4, 8000: 1})
    assert (sizes.smallest, sizes.median, sizes.largest) == (8, 16, 8000)
    assert [(part.start, part.end, part.images) for part in sizes.histogram] == [
        (8, 16, 3),
        (16, 32, 4),
        (4096, 8192, 1),
    ]


def test_whoever_has_kept_it_counts_are_told_in_one_order() -> None:
    report = Report(splits={"test": 1, "val": 2, "train": 3}, classes=[], modes={"L": 1, "RGB": 5})
    assert (list(report.splits), list(report.modes)) == (["train", "val", "test"], ["RGB", "L"])


def test_whatever_something_is_called_it_can_be_stored_and_shown() -> None:
    """A database takes no NUL, JSON no half of a letter, and a terminal does what an escape says."""
    findings = Findings()
    findings.add("odd", Level.NOTE, "Odd\0.", ["a\0b", "\ud800", "\x1b[31m", "\u00e9t\u00e9 \U0001f989"])
    [found] = findings.all()
    assert found.names == [r"a\x00b", r"\ud800", r"\x1b[31m", "\u00e9t\u00e9 \U0001f989"]
    assert found.text == r"Odd\x00."
