"""How many pictures a file holds. The first is the one that is used, the others are counted without being decoded."""

from __future__ import annotations

import struct
from typing import IO

from PIL import Image

from dna_engine.images.pictures.file import PictureFile

#: Beyond so many they are not counted: Pillow would walk through all, each with a list of its own.
MOST = 1_000
_TIFF = {b"II*\0": ("<I", "<H", 12), b"MM\0*": (">I", ">H", 12), b"II+\0": ("<Q", "<Q", 20), b"MM\0+": (">Q", ">Q", 20)}
_BIG_HEAD = 8


def frames(image: Image.Image, path: PictureFile) -> int:
    """One at least, and :data:`MOST` at most; ``image`` is that of the file, opened."""
    match image.format:
        case "TIFF":
            counted = _of_tiff(path)
        case "GIF":
            counted = _of_gif(path)
        case _:  # From their heads, which have been read.
            counted = getattr(image, "n_frames", 1)
    return min(max(1, counted), MOST)


def _of_tiff(path: PictureFile) -> int:
    """Directories, each of which says where the next one lies."""
    found = 0
    with path.open("rb") as file:
        kind = _TIFF.get(file.read(4))
        if kind is None:
            return 1
        pointer, number, field = struct.Struct(kind[0]), struct.Struct(kind[1]), kind[2]
        file.seek(_BIG_HEAD if pointer.size == 8 else 4)
        try:
            while found < MOST and (place := pointer.unpack(file.read(pointer.size))[0]):
                file.seek(place)
                file.seek(field * number.unpack(file.read(number.size))[0], 1)
                found += 1
        except (struct.error, OSError, OverflowError, ValueError):  # It ends too early.
            return found
    return found


def _of_gif(path: PictureFile) -> int:
    found = blocks = 0
    with path.open("rb") as file:
        file.seek(10)
        _skip_colours(file, file.read(3)[:1])
        while found < MOST and blocks < 100 * MOST:
            match file.read(1):
                case b",":
                    found += 1
                    _skip_colours(file, file.read(9)[8:])
                    file.seek(1, 1)
                case b"!":
                    file.seek(1, 1)
                case _:
                    return found
            blocks += _skip_blocks(file, 100 * MOST)
    return found


def _skip_colours(file: IO[bytes], flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 << (flags[0] & 7) + 1, 1)


def _skip_blocks(file: IO[bytes], most: int) -> int:
    """How many were skipped, up to their end or that many."""
    skipped = 0
    while skipped < most and (length := file.read(1)) and length[0]:
        file.seek(length[0], 1)
        skipped += 1
    return skipped
