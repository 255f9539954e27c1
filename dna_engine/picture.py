"""One picture as the networks see it: upright, 8 bits of red, green and blue, transparency on white. Torch-free.

The only place where image files are opened, by training, by the check of what was sent, and for a dataset's description.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dna_engine.errors import DataError

#: Names of files that are taken for images.
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
#: Formats that are read, whatever a file is called: others have decoders that start programs or were never meant for strangers.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
#: A picture of more pixels is refused: a small file can hold a huge one.
MAX_PIXELS = 64_000_000

#: What Pillow raises for orientations that it cannot make out.
_BROKEN_EXIF = (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error)


def is_picture(name: str) -> bool:
    """Whether a file of that name is taken for an image."""
    return Path(name).suffix.lower() in SUFFIXES


def open_picture(path: Path) -> Image.Image:
    """The picture as :func:`rgb` has it.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            return rgb(image)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as an image ({error}). Remove or replace it.") from error


def fault(path: Path) -> str | None:
    """What is wrong with a picture; JPEGs are decoded at a small scale, which reads the whole file all the same."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return f"{image.width} x {image.height} pixels, more than {MAX_PIXELS:,} in all"
            image.draft(None, (64, 64))
            rgb(image)
    except Exception as error:  # A decoder may raise anything on bytes from a stranger.
        return f"{type(error).__name__}: {error}".replace(str(path), path.name)[:200]
    return None


def rgb(image: Image.Image) -> Image.Image:
    """The first frame, turned as its EXIF orientation says, as RGB of 8 bits a channel.

    16 bits of grey are scaled to 8 by their full range, what is transparent lies on white, and every other kind is converted
    as Pillow does.

    Raises:
        ValueError: 32 bits a pixel, for their range is not known.
        OSError: the file is damaged.
    """
    sixteen_bits = image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))
    upright = _upright(image)
    if sixteen_bits:
        return Image.fromarray(np.rint(np.asarray(upright) / 257).astype(np.uint8)).convert("RGB")
    if upright.mode in ("I", "F"):
        raise ValueError("it has 32 bits a pixel, and which value is white is not known: save it with 8 or 16 bits")
    if upright.has_transparency_data:
        white = Image.new("RGBA", upright.size, "white")
        return Image.alpha_composite(white, upright.convert("RGBA")).convert("RGB")
    return upright.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except _BROKEN_EXIF:  # The pixels are whole; cameras and editors often leave such notes.
        return image
