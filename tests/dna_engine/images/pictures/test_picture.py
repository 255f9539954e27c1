"""Picture files are opened upright, whatever they are called, and only those of formats that are meant for strangers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dna_engine.errors import DataError
from dna_engine.images.pictures.picture import open_picture
from tests.dna_engine.images.check.faults import fault

RED, GREEN, BLUE, WHITE = (200, 30, 40), (20, 180, 60), (30, 40, 190), (255, 255, 255)


def corners(size: int = 32) -> Image.Image:
    """Red at the top left, green beside it, blue below, white in the last corner."""
    picture = Image.new("RGB", (size, size), WHITE)
    for place, colour in (((0, 0), RED), ((size // 2, 0), GREEN), ((0, size // 2), BLUE)):
        picture.paste(colour, (*place, place[0] + size // 2, place[1] + size // 2))
    return picture


def seen(path: Path) -> Any:
    """The colours in the middles of the four corners."""
    assert fault(path) is None
    picture = open_picture(path)
    assert picture.mode == "RGB"
    width, height = picture.size
    return np.array([picture.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)])


def see(path: Path, *, within: int = 12) -> None:
    assert np.abs(seen(path) - np.array([RED, GREEN, BLUE, WHITE])).max() <= within


@pytest.mark.parametrize("form", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, None),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_the_orientation_of_a_camera(
    orientation: int, stored: Image.Transpose | None, form: str, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = corners().resize((48, 32))
    turned = picture if stored is None else picture.transpose(stored)
    turned.save(tmp_path / f"photo.{form}", exif=exif)
    assert open_picture(tmp_path / f"photo.{form}").size == (48, 32)
    see(tmp_path / f"photo.{form}", within=40 if form == "webp" else 12)


@pytest.mark.parametrize("exif", [b"Exif\0\0XX*\0\x08\0\0\0", b"Exif\0\0II*\0\x08\0\0", b"nonsense"])
def test_a_picture_whose_notes_are_broken_is_taken_as_it_lies(exif: bytes, tmp_path: Path) -> None:
    corners().save(tmp_path / "photo.png", exif=exif)
    see(tmp_path / "photo.png")


@pytest.mark.parametrize("form", ["EPS", "ICO", "TGA", "PDF"])
def test_only_formats_of_images_are_opened_whatever_the_name(form: str, tmp_path: Path) -> None:
    """Ghostscript, above all, is never started."""
    corners().save(tmp_path / "photo.png", form)
    said = "it holds drawings or documents" if form in ("EPS", "PDF") else "cannot identify image file 'photo.png'"
    assert said in str(fault(tmp_path / "photo.png"))
    with pytest.raises(DataError, match="cannot be read as an image"):
        open_picture(tmp_path / "photo.png")


def test_a_damaged_picture(tmp_path: Path) -> None:
    corners(256).save(tmp_path / "photo.jpg", quality=95)
    (tmp_path / "photo.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes()[:-400])
    assert "truncated" in str(fault(tmp_path / "photo.jpg"))
    with pytest.raises(DataError, match="truncated"):
        open_picture(tmp_path / "photo.jpg")
