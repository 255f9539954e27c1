"""The only place where image files are opened: by training, by the check of what was sent, and for a dataset's description.

What becomes of them is ``prepare.py``'s; here stands what keeps a file of a stranger from taking more than it is worth. Torch-free.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageFile, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

from dna_engine.errors import DataError
from dna_engine.images.pictures.file import PictureFile
from dna_engine.images.pictures.foreign import HEAD, content_not_read
from dna_engine.images.pictures.head import has_several_scans, longest_list, notes_of_png
from dna_engine.images.pictures.parts import too_many_parts
from dna_engine.images.pictures.pixels import PLAIN, Look
from dna_engine.images.pictures.prepare import BROKEN_EXIF, FORMATS, WHITE, range_of, rgb

#: Names of files that are taken for images.
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
#: A picture of more pixels is refused: a small file can hold a huge one.
MAX_PIXELS = 64_000_000
#: Notes inside a PNG may unpack to so many bytes; Pillow would hold 64 MiB of each picture.
PngImagePlugin.MAX_TEXT_MEMORY = 4 << 20
#: Bytes a pixel that decoding takes at most, measured: four, but for TIFF (a strip may hold the whole), WebP and AVIF (frames and
#: their canvas); and of a JPEG of several scans, such as a progressive one, a value, at whatever scale it is read.
_PIXEL, _PIXEL_OF, _COEFFICIENT = 4, {"TIFF": 8, "WEBP": 16, "AVIF": 16}, 2
#: Grey or a palette, and alpha.
TWO_CHANNELS = ("LA", "La", "PA")
#: The same of grey of more than 8 bits, whose values are looked at.
_DEEP = 12
#: Formats without notes. Of others all notes are held, and of some the whole file; and while they are read, twice.
_PLAIN = ("BMP", "PPM")
_SLOW = frozenset({"ppm", "ppm_plain", "bmp_rle"})
#: Values of one list in the head of a TIFF: Pillow makes objects of them before it knows the picture.
_LONGEST_LIST = 1 << 17

#: Where Pillow keeps the notes that say how a camera was held.
_NOTES = {"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"}
#: Parts of a path that are told to users.
_SHOWN = 3


def is_picture(name: str) -> bool:
    """Whether a file of that name is taken for an image."""
    return Path(name).suffix.lower() in SUFFIXES


def open_picture(path: PictureFile, look: Look = PLAIN) -> Image.Image:
    """The picture as :func:`~dna_engine.images.pictures.prepare.rgb` has it.

    Raises:
        DataError: it cannot be read.
    """
    with _readable(path), _opened(path) as image:
        return rgb(image, background=look.background, white=look.white)


def size_of(path: PictureFile) -> tuple[int, int]:
    """Width and height in pixels, upright, read from the head of the file.

    Raises:
        DataError: it cannot be read.
    """
    with _readable(path), _opened(path) as image:
        return upright_size(image, image.size)


def peak_of(path: PictureFile) -> int:
    """Largest value of 16 bits of grey; 0 for any other picture, which is not decoded.

    Raises:
        DataError: it cannot be read.
    """
    with _readable(path), _opened(path) as image:
        return peak(image)


def peak(image: Image.Image) -> int:
    """The same of one that is open."""
    return int(np.asarray(image).max()) if image.mode.startswith("I") and range_of(image, WHITE) else 0


def orientation(image: Image.Image) -> int:
    """How a camera was held, 1 to 8 as in EXIF, as far as the head of the file tells; 1 is as it lies."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile) and not _NOTES & image.info.keys():
        return 1  # Pillow would decode a PNG to look for notes behind its pixels.
    try:
        said = image.getexif().get(ExifTags.Base.Orientation)
    except BROKEN_EXIF:
        return 1
    return said if isinstance(said, int) and said in range(1, 9) else 1


def upright_size(image: Image.Image, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height once it is turned of a picture that has that size as it lies; of a TIFF Pillow tells them so."""
    lies = image.format != "TIFF" and orientation(image) >= 5
    return (size[1], size[0]) if lies else size


def memory_needed(path: PictureFile) -> int:
    """Bytes that ``facts.examine`` takes at most to decode a picture, read from its head; 0 where there is none to be read."""
    try:
        with drafted(path) as (image, (width, height)):
            notes = (
                0 if image.format in _PLAIN else notes_of_png(path) if image.format == "PNG" else path.stat().st_size
            )
            pixel = _DEEP if range_of(image, WHITE) else _PIXEL_OF.get(image.format or "", _PIXEL)
            pixel += image.mode in TWO_CHANNELS  # Of which one is looked at by itself.
            kept = _COEFFICIENT * len(image.getbands()) * width * height if has_several_scans(path) else 0
            return 2 * notes + kept + pixel * image.width * image.height
    except Exception:  # What is wrong with it is for the examination to say.
        return 0


def refuse_slow(image: Image.Image) -> None:
    """Raises ValueError for what Pillow decodes in Python, a value at a time: a small archive could keep the service busy for minutes."""
    if isinstance(image, ImageFile.ImageFile) and image.tile and image.tile[0].codec_name in _SLOW:
        raise ValueError(
            "it is a PPM of text or of an unusual range, or a BMP of runs, which are read too slowly: save it as PNG"
        )


@contextmanager
def drafted(path: PictureFile) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
    """A picture at the smallest scale that its file offers, not decoded yet, and its size at full scale, as stored.

    Raises:
        Exception: whatever a decoder raises on bytes from a stranger.
    """
    with _opened(path) as image:
        size = image.size
        image.draft(None, (64, 64))
        yield image, size


def _of_known_format(path: PictureFile) -> ImageFile.ImageFile:
    content = path if isinstance(path, Path) else path.open("rb")
    try:
        return Image.open(content, formats=FORMATS)
    except UnidentifiedImageError as error:
        with path.open("rb") as file:
            why = content_not_read(file.read(HEAD))
        if why is None:
            raise
        raise ValueError(why) from error


@contextmanager
def _opened(path: PictureFile) -> Iterator[Image.Image]:
    if (longest := longest_list(path)) > _LONGEST_LIST:
        raise ValueError(f"its head has a list of {longest:,} values")
    if many := too_many_parts(path):
        raise ValueError(f"it has {many}: save it anew")
    with _of_known_format(path) as image:
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
