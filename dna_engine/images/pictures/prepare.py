"""A picture as a network sees it, made with Pillow and numpy alone: a copy of this file is in every bundle.

import json
from prepare import prepare

how = json.load(open("architecture.json"))["preprocessing"]
images = prepare("photo.jpg", how)[None]  # float32 (1, 3, size, size)
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

#: Formats that are read, whatever a file is called: others have decoders that start programs or were never meant for strangers.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
#: What white is in 16 bits of grey, unless it is said otherwise.
WHITE = 65_535
#: What Pillow raises for orientations that it cannot make out.
BROKEN_EXIF = (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error)
_PHOTOMETRIC = 262


def prepare(path: str | Path, how: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The picture in a file as an input, (3, size, size).

    Args:
        how: what ``architecture.json`` has under ``preprocessing``.
    """
    background = how.get("background", "white")
    Image.init()
    with Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN]) as stored:
        picture = rgb(stored, background=background, white=how.get("white", WHITE))
    return to_input(picture, how)


def to_input(picture: Image.Image, how: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The same of one that is RGB of 8 bits already."""
    framed = square(picture, how["resize"], fit=how.get("fit", "crop"), background=how.get("background", "white"))
    pixels = np.asarray(centre(framed, how["size"])) / 255
    normalised: np.ndarray[Any, np.dtype[np.float32]] = ((pixels - how["mean"]) / how["std"]).astype(np.float32)
    return normalised.transpose(2, 0, 1)


def rgb(image: Image.Image, *, background: str = "white", white: int = WHITE) -> Image.Image:
    """The first frame, turned as its EXIF orientation says, as RGB of 8 bits a channel.

    Grey of 16 bits is scaled from 0 to ``white``, of 32-bit floats from 0 to 1; what is transparent lies on the background; every
    other kind is converted as Pillow does.

    Raises:
        ValueError: 32-bit numbers whose range is not known.
        OSError: the file is damaged.
    """
    most = range_of(image, white)
    zero_is_white = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    upright = _upright(image)
    if most:
        return _grey_of_many_bits(upright, most, background, inverted=zero_is_white)
    if upright.has_transparency_data:
        below = Image.new("RGBA", upright.size, background)
        return Image.alpha_composite(below, upright.convert("RGBA")).convert("RGB")
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def range_of(image: Image.Image, white: int) -> int:
    """What is white in a picture of more than 8 bits of grey; 0 for any other.

    Raises:
        ValueError: it has 32-bit whole numbers, for which nothing says what is white.
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return white
    if image.mode == "I":
        raise ValueError(
            "it has 32 bits a pixel or numbers below zero, and which value is white is not known: save it with 8 or 16 bits"
        )
    return 1 if image.mode == "F" else 0


def _grey_of_many_bits(image: Image.Image, most: int, background: str, *, inverted: bool) -> Image.Image:
    refuse_unknown_white(image)
    values = np.asarray(image, np.float32)
    shares = np.minimum(values / most, 1)
    grey = Image.fromarray(np.rint(255 * (1 - shares if inverted else shares)).astype(np.uint8)).convert("RGB")
    if (key := image.info.get("transparency")) is not None:
        grey.paste(background, (0, 0), Image.fromarray(np.where(values == key, 255, 0).astype(np.uint8)))
    return grey


def refuse_unknown_white(image: Image.Image) -> None:
    """Raises ValueError for floats that do not lie between 0 and 1, no numbers among them."""
    if image.mode == "F":
        values = np.asarray(image)
        if not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(
                f"its 32-bit values reach from {values.min():.6g} to {values.max():.6g}, and which of them is white is known only "
                "where they lie between 0 and 1: scale them so, or save it with 8 or 16 bits"
            )


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except BROKEN_EXIF:  # The pixels are whole; cameras and editors often leave such notes.
        return image.copy()


def square(picture: Image.Image, size: int, *, fit: str = "crop", background: str = "white") -> Image.Image:
    """A picture of any shape as a square of ``size``.

    Args:
        fit: ``crop`` takes the largest square in the middle, ``pad`` the whole with the background beside it, ``squash`` the whole
            with its sides made equal.
    """
    width, height = picture.size
    side = min(width, height) if fit == "crop" else max(width, height)
    if fit == "pad":
        across, down = max(1, round(size * width / side)), max(1, round(size * height / side))
        whole = Image.new("RGB", (size, size), background)
        whole.paste(
            picture.resize((across, down), Image.Resampling.BILINEAR), ((size - across) // 2, (size - down) // 2)
        )
        return whole
    left, top = ((width - side) / 2, (height - side) / 2) if fit == "crop" else (0, 0)
    box = (left, top, width - left, height - top)
    return picture.resize((size, size), Image.Resampling.BILINEAR, box=box)


def centre(picture: Image.Image, size: int) -> Image.Image:
    """The square of ``size`` in the middle of a square picture."""
    cut = (picture.width - size) // 2
    return picture.crop((cut, cut, cut + size, cut + size))
