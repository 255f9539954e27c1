"""One picture as the networks see it: upright, 8 bits of red, green and blue, transparency on white. Torch-free.

The only place where image files are opened, by training, by the check of what was sent, and for a dataset's description.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, PngImagePlugin

from dna_engine.errors import DataError
from dna_engine.images.picture_file import PictureFile
from dna_engine.images.picture_head import has_several_scans, longest_list, notes_of_png
from dna_engine.images.picture_parts import too_many_parts

#: Names of files that are taken for images.
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
#: Formats that are read, whatever a file is called: others have decoders that start programs or were never meant for strangers.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
#: A picture of more pixels is refused: a small file can hold a huge one.
MAX_PIXELS = 64_000_000
#: Notes inside a PNG may unpack to so many bytes; Pillow would hold 64 MiB of each picture.
PngImagePlugin.MAX_TEXT_MEMORY = 4 << 20
#: Bytes a pixel that decoding takes at most, measured: four, but for TIFF (a strip may hold the whole) and WebP (frames and their
#: canvas); and of a JPEG of several scans, such as a progressive one, a value, at whatever scale it is read.
_PIXEL, _PIXEL_OF, _COEFFICIENT = 4, {"TIFF": 8, "WEBP": 16}, 2
#: Formats without notes. Of others all notes are held, and of some the whole file; and while they are read, twice.
_PLAIN = ("BMP", "PPM")
_SLOW = frozenset({"ppm", "ppm_plain", "bmp_rle"})
#: Values of one list in the head of a TIFF: Pillow makes objects of them before it knows the picture.
_LONGEST_LIST = 1 << 17

#: Parts of a path that are told to users.
_SHOWN = 3
#: What Pillow raises for orientations that it cannot make out.
_BROKEN_EXIF = (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error)


def is_picture(name: str) -> bool:
    """Whether a file of that name is taken for an image."""
    return Path(name).suffix.lower() in SUFFIXES


def open_picture(path: PictureFile) -> Image.Image:
    """The picture as :func:`rgb` has it.

    Raises:
        DataError: it cannot be read.
    """
    with _readable(path), _opened(path) as image:
        return rgb(image)


def shorter_side(path: PictureFile) -> int:
    """In pixels, read from the head of the file.

    Raises:
        DataError: it cannot be read.
    """
    with _readable(path), _opened(path) as image:
        return min(image.size)


def memory_needed(path: PictureFile) -> int:
    """Bytes that :func:`fault` takes at most to decode a picture, read from its head; 0 where there is none to be read."""
    try:
        with _drafted(path) as (image, pixels):
            notes = (
                0 if image.format in _PLAIN else notes_of_png(path) if image.format == "PNG" else path.stat().st_size
            )
            pixel = _PIXEL_OF.get(image.format or "", _PIXEL)
            kept = _COEFFICIENT * len(image.getbands()) * pixels if has_several_scans(path) else 0
            return 2 * notes + kept + pixel * image.width * image.height
    except Exception:  # What is wrong with it is for fault to say.
        return 0


def fault(path: PictureFile) -> str | None:
    """What is wrong with a picture; JPEGs are decoded at a small scale, which reads the whole file all the same."""
    try:
        with _drafted(path) as (image, _):
            _refuse_unknown_white(image)
            _refuse_slow(image)
            image.load()
    except Exception as error:  # A decoder may raise anything on bytes from a stranger.
        return f"{type(error).__name__}: {error}".replace(str(path), path.name)[:200]
    return None


def _refuse_slow(image: Image.Image) -> None:
    """What Pillow decodes in Python, a value at a time: a small archive could keep the service busy for minutes."""
    if isinstance(image, ImageFile.ImageFile) and image.tile and image.tile[0].codec_name in _SLOW:
        raise ValueError(
            "it is a PPM of text or of an unusual range, or a BMP of runs, which are read too slowly: save it as PNG"
        )


@contextmanager
def _drafted(path: PictureFile) -> Iterator[tuple[Image.Image, int]]:
    """A picture at the smallest scale that its file offers, not decoded yet, and its pixels at full scale."""
    with _opened(path) as image:
        pixels = image.width * image.height
        image.draft(None, (64, 64))
        yield image, pixels


@contextmanager
def _opened(path: PictureFile) -> Iterator[Image.Image]:
    if (longest := longest_list(path)) > _LONGEST_LIST:
        raise ValueError(f"its head has a list of {longest:,} values")
    if many := too_many_parts(path):
        raise ValueError(f"it has {many}: save it anew")
    content = path if isinstance(path, Path) else path.open("rb")
    with Image.open(content, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels, more than {MAX_PIXELS:,} in all")
        yield image


@contextmanager
def _readable(path: PictureFile) -> Iterator[None]:
    """Whatever a decoder raises on bytes from a stranger; of the path only the end is told: part, class and name."""
    try:
        yield
    except Exception as error:
        shown = "/".join(path.parts[-_SHOWN:])
        why = str(error).replace(str(path), path.name)
        raise DataError(f"{shown} cannot be read as an image ({why}). Remove or replace it.") from error


def rgb(image: Image.Image) -> Image.Image:
    """The first frame, turned as its EXIF orientation says, as RGB of 8 bits a channel.

    16 bits of grey are scaled to 8 by their full range, what is transparent lies on white, and every other kind is converted
    as Pillow does.

    Raises:
        ValueError: 32 bits a pixel, for their range is not known.
        OSError: the file is damaged.
    """
    _refuse_unknown_white(image)
    sixteen_bits = _has_sixteen_bits(image)
    upright = _upright(image)
    if sixteen_bits:
        return Image.fromarray(np.rint(np.asarray(upright) / 257).astype(np.uint8)).convert("RGB")
    if upright.has_transparency_data:
        white = Image.new("RGBA", upright.size, "white")
        return Image.alpha_composite(white, upright.convert("RGBA")).convert("RGB")
    return upright.convert("RGB")


def _has_sixteen_bits(image: Image.Image) -> bool:
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))


def _refuse_unknown_white(image: Image.Image) -> None:
    if image.mode in ("I", "F") and not _has_sixteen_bits(image):
        raise ValueError("it has 32 bits a pixel, and which value is white is not known: save it with 8 or 16 bits")


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except _BROKEN_EXIF:  # The pixels are whole; cameras and editors often leave such notes.
        return image
