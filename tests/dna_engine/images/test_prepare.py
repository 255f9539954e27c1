"""Pictures of every kind look to a network as they look to a person, and so does what a bundle makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dna_engine.images.picture import open_picture
from dna_engine.images.pixels import Look
from tests.untidy_pictures import BILEVEL, BLUE, COLOURED, GREEN, RED, SHADED, SHADES, SIZE, WHITE, deep_grey

#: What printing and compression change.
NEAR = {"photo": 12, "progressive": 12, "CMYK as JPEG": 12, "YCCK": 12, "Lab": 12, "AVIF": 12, "two cameras": 12}


def seen(raw: bytes, folder: Path, look: Look | None = None) -> Any:
    """The colours in the middles of the four corners."""
    (folder / "picture").write_bytes(raw)
    picture = open_picture(folder / "picture", look or Look())
    assert (picture.mode, picture.size) == ("RGB", SIZE)
    return np.array([picture.getpixel((SIZE[0] * x // 4, SIZE[1] * y // 4)) for y in (1, 3) for x in (1, 3)])


@pytest.mark.parametrize("kind", COLOURED)
def test_colours(kind: str, tmp_path: Path) -> None:
    found = seen(COLOURED[kind](), tmp_path)
    assert np.abs(found - np.array([RED, GREEN, BLUE, WHITE])).max() <= NEAR.get(kind, 1)


@pytest.mark.parametrize("kind", SHADED)
def test_shades(kind: str, tmp_path: Path) -> None:
    assert np.abs(seen(SHADED[kind](), tmp_path) - np.array(SHADES)[:, None]).max() <= (2 if "photo" in kind else 0)


@pytest.mark.parametrize("kind", BILEVEL)
def test_black_and_white(kind: str, tmp_path: Path) -> None:
    assert seen(BILEVEL[kind](), tmp_path).tolist() == [[shade] * 3 for shade in (0, 255, 255, 0)]


@pytest.mark.parametrize("kind", ["alpha", "alpha as WEBP", "palette with alpha", "palette with one transparent colour", "grey with alpha"])  # fmt: skip
def test_what_is_transparent_shows_the_background(kind: str, tmp_path: Path) -> None:
    assert seen((COLOURED | SHADED)[kind](), tmp_path, Look(background="#102030"))[3].tolist() == [16, 32, 48]


@pytest.mark.parametrize("white", [255, 1_023, 4_095, 16_383, 65_535])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_of_any_depth_is_scaled_by_the_range_of_its_set(white: int, form: str, tmp_path: Path) -> None:
    found = seen(deep_grey(form, white), tmp_path, Look(white=white))
    assert np.abs(found - np.array(SHADES)[:, None]).max() <= 1
    brighter = seen(deep_grey(form), tmp_path, Look(white=255))
    assert brighter.tolist() == [[shade] * 3 for shade in (0, 255, 255, 255)], "what is brighter than white is white"
