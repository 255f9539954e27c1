"""Of how many parts the file of a picture is made, counted before any decoder sees it.

Pillow takes the segments of a JPEG, the chunks of a PNG and the blocks of a GIF one by one in Python, and keeps most; and each
scan of a JPEG goes over the whole picture. So a small file of many would take minutes and gigabytes.
"""

from __future__ import annotations

import re
from typing import IO

from dna_engine.images.pictures.file import PictureFile
from dna_engine.images.pictures.head import has_several_scans

#: Parts that a file may have beside its pixels, and those of pixels: encoders write some kilobytes into each.
_MOST, _MOST_OF_PIXELS = 10_000, 100_000
#: Colour profiles of a PNG, each inflated to as much as a megabyte. One is allowed by the format.
_MOST_PROFILES = 10
#: Scans of a JPEG. Encoders write about ten.
_MOST_SCANS = 100
_CHUNK = 1 << 13
#: A marker of a JPEG with something behind it; between them lie fillers, and in scans the pixels.
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")
_END, _SCAN = 0xD9, 0xDA
_PNG, _GIF = b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a")


def too_many_parts(path: PictureFile) -> str | None:
    """What a file has too many of, in words; None where it is of no other format either."""
    with path.open("rb") as file:
        start = file.read(len(_PNG))
        if start.startswith(b"\xff\xd8"):
            return _of_jpeg(file, path)
        if start == _PNG:
            return _of_png(file)
        return _of_gif(file) if start.startswith(_GIF) else None


def _of_jpeg(file: IO[bytes], path: PictureFile) -> str | None:
    """Before the first scan each byte between segments counts as well."""
    at, parts, scans = 2, 0, 0
    while parts <= _MOST and scans <= _MOST_SCANS:
        file.seek(at)
        chunk = file.read(_CHUNK)
        found = _MARKER.search(chunk)
        parts += 0 if scans else found.start() if found else len(chunk)
        if found is None:
            if len(chunk) < _CHUNK:
                return None
            at += _CHUNK - 1  # The last byte may be the first of a marker.
            continue
        parts += 1
        at += found.end()
        marker = found[1][0]
        if marker == _END:  # The head goes on behind it, for Pillow.
            if scans:
                return None
            continue
        if marker == _SCAN:
            if not scans and not has_several_scans(path):
                return None
            scans += 1
        file.seek(at)
        at += max(2, int.from_bytes(file.read(2), "big"))
    return f"more than {_MOST_SCANS} scans" if scans > _MOST_SCANS else f"more than {_MOST:,} segments"


def _of_png(file: IO[bytes]) -> str | None:
    parts = pixels = profiles = 0
    while parts <= _MOST and pixels <= _MOST_OF_PIXELS and profiles <= _MOST_PROFILES:
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return None
        profiles += head[4:] == b"iCCP"
        pixels += head[4:] == b"IDAT"
        parts += head[4:] != b"IDAT"
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    if profiles > _MOST_PROFILES:
        return f"more than {_MOST_PROFILES} colour profiles"
    return f"more than {_MOST if parts > _MOST else _MOST_OF_PIXELS:,} chunks"


def _of_gif(file: IO[bytes]) -> str | None:
    """Up to the first picture: extensions, their blocks, and each byte between them."""
    file.seek(10)
    flags = file.read(3)[:1] or b"\0"
    file.seek(3 << (flags[0] & 7) + 1 if flags[0] & 0x80 else 0, 1)
    for _ in range(_MOST):
        match file.read(1):
            case b"" | b"," | b";":
                return None
            case b"!":
                file.seek(1, 1)
                if not _skip_blocks(file):
                    return f"an extension of more than {_MOST:,} blocks"
    return f"more than {_MOST:,} extensions"


def _skip_blocks(file: IO[bytes]) -> bool:
    """Whether their end was found."""
    for _ in range(_MOST):
        if not (length := file.read(1).ljust(1, b"\0")[0]):
            return True
        file.seek(length, 1)
    return False
