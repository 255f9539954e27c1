"""Pictures of every kind look to a network as they look to a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dna_engine.errors import DataError
from dna_engine.images.picture import fault, open_picture

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


def animated(picture: Image.Image, path: Path) -> None:
    others = [Image.new("RGB", picture.size, shade) for shade in ("black", "orange")]
    picture.save(path, save_all=True, append_images=others)


def hidden_below_transparency(mode: str) -> Callable[[Image.Image, Path], None]:
    """White is written as transparent, above other colours."""

    def save(picture: Image.Image, path: Path) -> None:
        picture.paste((90, 0, 90), (16, 16, 32, 32))
        picture.putalpha(Image.fromarray(np.where(np.indices((32, 32)).min(0) >= 16, 0, 255).astype(np.uint8)))
        if mode == "P":
            picture = picture.quantize(8)
        picture.save(path)

    return save


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("plain.png", lambda picture, path: picture.save(path)),
        ("photo.jpg", lambda picture, path: picture.save(path, quality=95)),
        ("print.jpg", lambda picture, path: picture.convert("CMYK").save(path, quality=95)),
        ("print.tif", lambda picture, path: picture.convert("CMYK").save(path)),
        ("palette.png", lambda picture, path: picture.quantize(16).save(path)),
        ("lossless.webp", lambda picture, path: picture.save(path, lossless=True)),
        ("windows.bmp", lambda picture, path: picture.save(path)),
        ("two-cameras.jpg", lambda picture, path: picture.save(path, "MPO", quality=95, save_all=True, append_images=[picture])),
        ("moving.gif", animated),
        ("moving.webp", animated),
        ("pages.tif", animated),
        ("rgba.png", hidden_below_transparency("RGBA")),
        ("palette-rgba.png", hidden_below_transparency("P")),
        ("rgba.webp", hidden_below_transparency("RGBA")),
        ("png-inside.jpg", lambda picture, path: picture.save(path, "PNG")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_colours(name: str, save: Callable[[Image.Image, Path], None], tmp_path: Path) -> None:
    save(corners(), tmp_path / name)
    see(tmp_path / name, within=40 if name == "moving.webp" else 12)


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


@pytest.mark.parametrize(("mode", "values"), [("I;16", "<u2"), ("I;16B", ">u2")])
@pytest.mark.parametrize("form", ["png", "tif"])
def test_sixteen_bits_are_scaled_by_their_range(form: str, mode: str, values: str, tmp_path: Path) -> None:
    shades = np.array([0, 257 * 10 + 100, 257 * 128, 65_535])
    pixels = np.kron(shades.reshape(2, 2), np.ones((8, 8))).astype(values)
    Image.frombytes(mode, (16, 16), pixels.tobytes()).save(tmp_path / f"scan.{form}")
    assert seen(tmp_path / f"scan.{form}").tolist() == [[shade] * 3 for shade in (0, 10, 128, 255)]


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey(mode: str, tmp_path: Path) -> None:
    pixels = np.kron(np.array([[0, 255], [255, 0]]), np.ones((8, 8))).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(tmp_path / "grey.png")
    assert seen(tmp_path / "grey.png").tolist() == [[shade] * 3 for shade in (0, 255, 255, 0)]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_what_has_no_known_white_is_refused(mode: str, tmp_path: Path) -> None:
    Image.new(mode, (8, 8), 7).save(tmp_path / "depth.tif")
    assert "save it with 8 or 16 bits" in str(fault(tmp_path / "depth.tif"))
    with pytest.raises(DataError, match=r"depth.tif cannot be read .* save it with 8 or 16 bits"):
        open_picture(tmp_path / "depth.tif")


@pytest.mark.parametrize("form", ["EPS", "ICO", "TGA", "PDF"])
def test_only_formats_of_images_are_opened_whatever_the_name(form: str, tmp_path: Path) -> None:
    """Ghostscript, above all, is never started."""
    corners().save(tmp_path / "photo.png", form)
    assert "cannot identify image file 'photo.png'" in str(fault(tmp_path / "photo.png"))
    with pytest.raises(DataError, match="cannot be read as an image"):
        open_picture(tmp_path / "photo.png")


def test_a_damaged_picture(tmp_path: Path) -> None:
    corners(256).save(tmp_path / "photo.jpg", quality=95)
    (tmp_path / "photo.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes()[:-400])
    assert "truncated" in str(fault(tmp_path / "photo.jpg"))
    with pytest.raises(DataError, match="truncated"):
        open_picture(tmp_path / "photo.jpg")
