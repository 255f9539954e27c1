"""One look through a file says all that the check of a dataset has to tell of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dna_engine.images.check.facts import Facts, Fault, examine, white_of
from dna_engine.images.check.report import Findings, Level
from dna_engine.images.pictures.picture import open_picture, size_of
from tests import untidy_pictures


def known(kind: str, folder: Path) -> tuple[Facts, set[str]]:
    """What is known of a picture of that kind, and the codes that are told."""
    path = folder / "picture"
    path.write_bytes(untidy_pictures.PICTURES[kind]())
    found = examine(path)
    assert isinstance(found, Facts), found
    upright = open_picture(path)
    assert (found.width, found.height) == upright.size == size_of(path)
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    findings = Findings()
    found.tell("picture", findings)
    assert all(finding.level == Level.NOTE for finding in findings.all())
    return found, {finding.code for finding in findings.all()}


@pytest.mark.parametrize(
    ("kind", "mode", "codes"),
    [
        ("colours", "RGB", set()),
        ("grey", "L", {"greyscale"}),
        ("one bit", "1", {"greyscale"}),
        ("grey of 16 bits as PNG", "I;16", {"greyscale", "deep_grey"}),
        ("grey of 16 bits as TIFF", "I;16", {"greyscale", "deep_grey"}),
        ("grey of floats", "F", {"greyscale", "float_grey"}),
        ("colours of 16 bits", "RGB", {"cut_bits"}),
        ("turned by EXIF as JPEG", "RGB", {"turned"}),
        ("turned by EXIF as PNG", "RGB", {"turned"}),
        ("turned by EXIF as TIFF", "RGB", {"turned"}),
        ("turned by EXIF as WEBP", "RGB", {"turned"}),
        ("alpha", "RGBA", {"transparent"}),
        ("grey with alpha", "LA", {"greyscale", "transparent"}),
        ("palette with alpha", "P", {"transparent"}),
        ("palette with one transparent colour", "P", {"transparent"}),
        ("alpha that hides nothing", "RGBA", set()),
        ("palette", "P", set()),
        ("CMYK as JPEG", "CMYK", {"other_colours"}),
        ("CMYK as TIFF", "CMYK", {"other_colours"}),
        ("YCCK", "CMYK", {"other_colours"}),
        ("Lab", "LAB", {"other_colours"}),
        ("moving GIF", "P", {"several_frames"}),
        ("moving WEBP", "RGB", {"several_frames"}),
        ("pages of TIFF", "RGB", {"several_frames"}),
        ("AVIF", "RGB", set()),
    ],
)
def test_what_is_told(kind: str, mode: str, codes: set[str], tmp_path: Path) -> None:
    found, told = known(kind, tmp_path)
    assert (found.mode, told) == (mode, codes)
    assert found.frames == (3 if "several_frames" in codes else 1)


@pytest.mark.parametrize(("kind", "why"), [(kind, why) for kind, (_, why) in untidy_pictures.BROKEN.items()])
def test_what_cannot_be_used_is_found_before_it_is_trained_on(kind: str, why: str, tmp_path: Path) -> None:
    make, _ = untidy_pictures.BROKEN[kind]
    (tmp_path / "picture").write_bytes(make())
    found = examine(tmp_path / "picture")
    assert isinstance(found, Fault)
    assert why in found.reason
    assert str(tmp_path) not in found.reason
    findings = Findings()
    found.tell("cat/1.png", findings)
    (finding,) = findings.all()
    assert (finding.code, finding.level, finding.names) == ("unreadable", Level.ERROR, [f"cat/1.png: {found.reason}"])


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    found = examine(tmp_path / "picture.png")
    assert isinstance(found, Fault)
    assert found.reason == "FileNotFoundError: [Errno 2] No such file or directory: 'picture.png'"


@pytest.mark.parametrize(
    ("peaks", "white"),
    [([], 65_535), ([0], 65_535), ([200, 3], 255), ([256], 1_023), ([4_095, 900], 4_095), ([4_096], 16_383), ([60_000], 65_535)],
)  # fmt: skip
def test_what_is_white_is_the_least_range_that_holds_all(peaks: list[int], white: int) -> None:
    assert white_of(peaks) == white


def test_the_brightest_value_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(untidy_pictures.deep_grey("PNG", white=4_095))
    found = examine(tmp_path / "a.png")
    assert isinstance(found, Facts)
    assert found.peak == 4_095


def test_colours_of_a_camera_that_come_out_nearly_black(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(untidy_pictures.deep_colours(white=4_095))
    found = examine(tmp_path / "a.png")
    assert isinstance(found, Facts)
    findings = Findings()
    found.tell("cat/a.png", findings)
    assert [(finding.code, finding.level) for finding in findings.all()] == [
        ("dark", Level.WARNING),
        ("cut_bits", Level.NOTE),
    ]
