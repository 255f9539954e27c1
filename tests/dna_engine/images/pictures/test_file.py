"""Pictures that lie inside a larger file are read by the same rules as files of the disk."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from dna_engine.errors import DataError
from dna_engine.images.pictures.file import HeldFile
from dna_engine.images.pictures.picture import memory_needed, open_picture, size_of
from tests.dna_engine.images.check.faults import fault
from tests.dna_engine.images.test_arrange import picture

BOMB = b"P6 8001 8001 255\n"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


#: 50,000 times 50,000 pixels in a hundred bytes, as a PNG says them.
PNG_BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">2I5B", 50_000, 50_000, 1, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b""))
)


def test_a_picture_in_memory_is_that_of_the_file(tmp_path: Path) -> None:
    held = HeldFile("a.tar/owl/1.png", picture(7))
    on_disk = tmp_path / "1.png"
    on_disk.write_bytes(held.content)
    assert open_picture(held).tobytes() == open_picture(on_disk).tobytes()
    assert (size_of(held), memory_needed(held)) == (size_of(on_disk), memory_needed(on_disk))
    assert fault(held) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no picture", "cannot identify image file '1.png'"),
        (BOMB, "8001 x 8001 pixels"),
        (PNG_BOMB, "2500000000 pixels"),
    ],
)
def test_what_cannot_be_used_is_named(content: bytes, said: str) -> None:
    held = HeldFile("a.tar/owl/1.png", content)
    with pytest.raises(DataError, match=r"a\.tar/owl/1\.png cannot be read as an image") as refused:
        open_picture(held)
    assert said in refused.value.message
    assert said in (fault(held) or "")
