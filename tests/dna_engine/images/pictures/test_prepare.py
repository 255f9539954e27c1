"""Pictures of every kind look to a network as they look to a person, and so does what a bundle makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dna_engine.images.pictures.picture import open_picture
from dna_engine.images.pictures.pixels import Look
from dna_engine.images.pictures.prepare import centre, square
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


def numbered(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downwards."""
    rows, columns = np.indices((height, width))
    pixels = np.dstack([columns * 255 // max(1, width - 1), rows * 255 // max(1, height - 1), 0 * rows])
    return Image.fromarray(pixels.astype(np.uint8))


def reach(pixels: Any) -> list[int]:
    """Of red and of green: from where to where."""
    return [int(edge(pixels[..., channel])) for channel in (0, 1) for edge in (np.min, np.max)]


@pytest.mark.parametrize(("width", "height"), [(320, 64), (64, 320)])
def test_a_long_picture_is_cut_padded_or_squashed(width: int, height: int) -> None:
    picture = numbered(width, height)
    long, short = (0, 1) if width > height else (1, 0)
    cut = reach(np.asarray(square(picture, 32)))
    assert cut[2 * long] > 95
    assert cut[2 * long + 1] < 160, "the ends are lost"
    squashed = reach(np.asarray(square(picture, 32, fit="squash")))
    assert all(low <= 8 and high >= 247 for low, high in (squashed[:2], squashed[2:]))
    padded = np.asarray(square(picture, 32, fit="pad", background="#0000ff"))
    strip = padded.swapaxes(0, 1) if width < height else padded
    assert (strip[:13] == (0, 0, 255)).all()
    assert (strip[19:] == (0, 0, 255)).all()
    inside = reach(strip[13:19])
    assert inside[2 * long] <= 8
    assert inside[2 * long + 1] >= 247, "the whole is seen"
    assert inside[2 * short] < inside[2 * short + 1]


@pytest.mark.parametrize("fit", ["crop", "pad", "squash"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 900), (900, 1), (7, 5)])
def test_a_picture_of_any_shape_becomes_a_square(width: int, height: int, fit: str) -> None:
    found = square(Image.new("RGB", (width, height), "red"), 16, fit=fit)
    assert found.size == (16, 16)
    assert (np.asarray(found) == (255, 0, 0)).all(2).any(), "something of it is seen"


def test_the_centre() -> None:
    assert np.array_equal(np.asarray(centre(numbered(20, 20), 10)), np.asarray(numbered(20, 20))[5:15, 5:15])
