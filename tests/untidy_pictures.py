"""Pictures of every kind, a few pixels each: what they look like to a person is known, whatever they are stored as.

Those of ``COLOURED`` show red, green, blue and white in their corners, those of ``SHADED`` four shades of grey from black to white; what is
transparent hides other colours below. Those of ``BROKEN`` cannot be used.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

SIZE = (48, 32)
RED, GREEN, BLUE, WHITE = (200, 30, 40), (20, 180, 60), (30, 40, 190), (255, 255, 255)
SHADES = (0, 51, 153, 255)


def corners(*colours: Any, mode: str = "RGB") -> Image.Image:
    """A colour in each quarter: top left, top right, bottom left, bottom right."""
    width, height = SIZE
    picture = Image.new(mode, SIZE)
    for number, colour in enumerate(colours):
        left, top = number % 2 * width // 2, number // 2 * height // 2
        picture.paste(colour, (left, top, left + width // 2, top + height // 2))
    return picture


def coloured() -> Image.Image:
    return corners(RED, GREEN, BLUE, WHITE)


def shaded() -> Image.Image:
    return corners(*SHADES, mode="L")


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def see_through(mode: str) -> Image.Image:
    """The last corner is another colour, and transparent."""
    hidden = corners(RED, GREEN, BLUE, (90, 0, 90)) if mode == "RGB" else corners(*SHADES[:3], 90, mode="L")
    hidden.putalpha(corners(255, 255, 255, 0, mode="L"))
    return hidden


def turned(form: str, orientation: int = 6, **options: Any) -> bytes:
    """As a camera stores it that was held upright: it lies on its side, and the notes say so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(coloured().transpose(Image.Transpose.ROTATE_90), form, exif=exif, **options)


def moving(form: str, **options: Any) -> bytes:
    others = [Image.new("RGB", SIZE, shade) for shade in ("black", "orange")]
    return saved(coloured(), form, save_all=True, append_images=others, **options)


def one_colour_through() -> bytes:
    picture = corners(RED, GREEN, BLUE, (90, 0, 90)).quantize(8)
    return saved(picture, "PNG", transparency=picture.getpixel((SIZE[0] - 1, SIZE[1] - 1)))


def ycck() -> bytes:
    """As Photoshop writes CMYK: the inks as luminance and chroma, and a marker that says so."""
    inks = np.asarray(coloured().convert("CMYK"))
    chroma = 255 - np.asarray(Image.fromarray(inks[..., :3].copy()).convert("YCbCr"))
    stored = saved(Image.fromarray(np.dstack([chroma, inks[..., 3:]]), "CMYK"), "JPEG", quality=95, subsampling=0)
    transform = stored.index(b"Adobe") + 11
    return stored[:transform] + b"\2" + stored[transform + 1 :]


def deep_grey(form: str, white: int = 65_535) -> bytes:
    return saved(Image.fromarray((np.asarray(shaded()).astype(np.uint32) * white // 255).astype(np.uint16)), form)


def white_is_zero() -> bytes:
    """A TIFF of 16 bits in which 0 is white, as scanners of film write."""
    values = 65_535 - np.asarray(shaded()).astype(np.uint16) * 257
    return saved(Image.fromarray(values.astype(np.uint16)), "TIFF", tiffinfo={262: 0})


def grey_of_floats(white: float = 1.0) -> bytes:
    return saved(Image.fromarray((np.asarray(shaded()) / 255 * white).astype(np.float32)), "TIFF")


def deep_colours(white: int = 65_535) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write."""
    values = (np.asarray(coloured()).astype(np.uint32) * white // 255).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    head = struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, *zip(*chunks, strict=True)))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def bomb() -> bytes:
    """A hundred bytes that say they are a picture of 400 million pixels."""
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(b"\0")) + _chunk(b"IEND", b"")


def broken_chunk() -> bytes:
    whole = saved(Image.effect_noise(SIZE, 50), "PNG")
    at = whole.index(b"IDAT") + 40
    return whole[:at] + bytes(60) + whole[at + 60 :]


def cut(form: str) -> bytes:
    whole = saved(Image.effect_noise((96, 96), 50), form)
    return whole[: len(whole) // 2]


COLOURED: Mapping[str, Callable[[], bytes]] = {
    "colours": lambda: saved(coloured(), "PNG"),
    "photo": lambda: saved(coloured(), "JPEG", quality=95),
    "progressive": lambda: saved(coloured(), "JPEG", quality=95, progressive=True),
    "colours of 16 bits": deep_colours,
    "turned by EXIF as JPEG": lambda: turned("JPEG", quality=95),
    "turned by EXIF as PNG": lambda: turned("PNG"),
    "turned by EXIF as TIFF": lambda: turned("TIFF"),
    "turned by EXIF as WEBP": lambda: turned("WEBP", lossless=True),
    "alpha": lambda: saved(see_through("RGB"), "PNG"),
    "alpha as WEBP": lambda: saved(see_through("RGB"), "WEBP", lossless=True, exact=True),
    "alpha as TIFF": lambda: saved(see_through("RGB"), "TIFF"),
    "alpha that hides nothing": lambda: saved(coloured().convert("RGBA"), "PNG"),
    "palette": lambda: saved(coloured().quantize(8), "PNG"),
    "palette with alpha": lambda: saved(see_through("RGB").quantize(8), "PNG"),
    "palette with one transparent colour": one_colour_through,
    "CMYK as JPEG": lambda: saved(coloured().convert("CMYK"), "JPEG", quality=95),
    "CMYK as TIFF": lambda: saved(coloured().convert("CMYK"), "TIFF"),
    "YCCK": ycck,
    "Lab": lambda: saved(coloured().convert("LAB"), "TIFF"),
    "moving GIF": lambda: moving("GIF"),
    "moving PNG": lambda: moving("PNG"),
    "moving WEBP": lambda: moving("WEBP", lossless=True),
    "pages of TIFF": lambda: moving("TIFF"),
    "two cameras": lambda: saved(coloured(), "MPO", quality=95, save_all=True, append_images=[coloured()]),
    "BMP": lambda: saved(coloured(), "BMP"),
    "PPM": lambda: saved(coloured(), "PPM"),
    "AVIF": lambda: saved(coloured(), "AVIF", quality=95, subsampling="4:4:4"),
}

SHADED: Mapping[str, Callable[[], bytes]] = {
    "grey": lambda: saved(shaded(), "PNG"),
    "grey photo": lambda: saved(shaded(), "JPEG", quality=95),
    "grey with alpha": lambda: saved(see_through("L"), "PNG"),
    "grey of 16 bits as PNG": lambda: deep_grey("PNG"),
    "grey of 16 bits as TIFF": lambda: deep_grey("TIFF"),
    "grey of 16 bits, white is zero": white_is_zero,
    "grey of floats": grey_of_floats,
}

#: With words of why.
BROKEN: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "no picture": (lambda: b"no picture", "cannot identify image file"),
    "empty": (lambda: b"", "it is empty"),
    "bomb": (bomb, "400000000 pixels"),
    "broken chunk": (broken_chunk, "broken"),
    "cut JPEG": (lambda: cut("JPEG"), "truncated"),
    "cut PNG": (lambda: cut("PNG"), "truncated"),
    "cut TIFF": (lambda: cut("TIFF"), ""),
    "cut WEBP": (lambda: cut("WEBP"), ""),
    "cut GIF": (lambda: cut("GIF"), "truncated"),
    "floats without a known white": (lambda: grey_of_floats(812.0), "reach from 0 to 812"),
    "floats that are none": (lambda: grey_of_floats(float("nan")), "reach from nan to nan"),
    "whole numbers of 32 bits": (lambda: saved(Image.new("I", SIZE, 7), "TIFF"), "save it with 8 or 16 bits"),
}

#: One bit a pixel: black and white.
BILEVEL: Mapping[str, Callable[[], bytes]] = {
    "one bit": lambda: saved(corners(0, 255, 255, 0, mode="1"), "PNG"),
    "one bit as TIFF": lambda: saved(corners(0, 255, 255, 0, mode="1"), "TIFF", compression="group4"),
}

PICTURES: Mapping[str, Callable[[], bytes]] = {**COLOURED, **SHADED, **BILEVEL}
