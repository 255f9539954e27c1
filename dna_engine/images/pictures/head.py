"""What the head of a picture file says of the memory that its decoder will take, read before any decoder sees it."""

from __future__ import annotations

import struct
from typing import IO

from dna_engine.images.pictures.file import PictureFile

#: Of a TIFF and a BigTIFF: the mark, the pointer to the first directory, the number of its fields, and a field.
_TIFF = {b"*": ("4sI", "H", "HHI4x"), b"+": ("8sQ", "Q", "HHQ8x")}
_BYTE_ORDER = {b"II": "<", b"MM": ">"}
#: Kinds of TIFF's values that stay bytes: BYTE, ASCII, UNDEFINED.
_BYTES = (1, 2, 7)
_FIELDS = 1 << 16
#: What a PNG begins with, and how many of its parts are looked at.
_PNG, _PARTS = b"\x89PNG\r\n\x1a\n", 100_000
#: Of a JPEG: markers without content, frame headers (SOF), and the start of a scan.
_BARE = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_SCAN = 0xDA


def longest_list(path: PictureFile) -> int:
    """Values of the longest list in the first directory of a TIFF, or of the directory itself; 0 for any other file."""
    with path.open("rb") as file:
        mark = file.read(4)
        order, kind = _BYTE_ORDER.get(mark[:2]), _TIFF.get(mark[2:].strip(b"\0"))
        if order is None or kind is None:
            return 0
        head, number, field = (struct.Struct(order + form) for form in kind)
        longest = 0
        file.seek(0)
        try:
            file.seek(head.unpack(file.read(head.size))[1])
            (count,) = number.unpack(file.read(number.size))
            for _ in range(min(count, _FIELDS)):
                _, form, values = field.unpack(file.read(field.size))
                longest = max(longest, values if form not in _BYTES else 0)
        except (struct.error, OSError, OverflowError, ValueError):
            return longest  # It ends too early; Pillow would go on with what there is.
    return longest if count <= _FIELDS else count


def notes_of_png(path: PictureFile) -> int:
    """Bytes of a PNG that are not its pixels'; of a file with very many parts, all behind the last that was looked at."""
    found, at, size = 0, len(_PNG), path.stat().st_size
    with path.open("rb") as file:
        for _ in range(_PARTS):
            file.seek(at)
            head = file.read(8)
            if len(head) < 8:
                return found
            length = int.from_bytes(head[:4], "big")
            found += 0 if head[4:] == b"IDAT" else min(length, size)
            at += 12 + length
    return found + max(0, size - at)


def has_several_scans(path: PictureFile) -> bool:
    """Whether a JPEG has to be held whole while it is decoded: also where its head is not in order. False for any other file."""
    with path.open("rb") as file:
        return file.read(2) == b"\xff\xd8" and not _is_one_scan(file)


def _is_one_scan(file: IO[bytes]) -> bool:
    """Whether the first scan has all components of the frame, and the frame is not progressive."""
    components = None
    while len(marker := file.read(2)) == 2 and marker[0] == 0xFF:
        if marker[1] in _BARE:
            continue
        length = int.from_bytes(file.read(2), "big") - 2
        if marker[1] == _SCAN:
            return file.read(1) == components
        if marker[1] in _PROGRESSIVE:
            return False
        content = file.read(max(0, length))
        if marker[1] in _FRAMES:
            components = content[5:6]
    return False
