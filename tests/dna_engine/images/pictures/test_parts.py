"""Pictures of very many parts are refused before a decoder takes minutes and gigabytes for them; all others are let through."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from dna_engine.images.pictures.parts import too_many_parts
from dna_engine.images.pictures.picture import memory_needed
from tests.dna_engine.images.check.faults import fault

MANY = 20_000


def picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (9, 100, 3)).save(out, kind, **options)
    return out.getvalue()


def in_jpeg(part: bytes) -> bytes:
    raw = picture("JPEG")
    return raw[:2] + part * MANY + raw[2:]


def in_png(kind: bytes, count: int = MANY) -> bytes:
    raw = picture("PNG")
    empty = struct.pack(">L", 0) + kind + struct.pack(">L", zlib.crc32(kind))
    return raw[:33] + empty * count + raw[33:]


def in_gif(part: bytes) -> bytes:
    raw = picture("GIF")
    colours = 13 + (3 << (raw[10] & 7) + 1)
    return raw[:colours] + part + raw[colours:]


def of_scans(count: int) -> bytes:
    """A progressive picture whose last scan is there again and again."""
    raw = picture("JPEG", progressive=True)
    last = raw.rindex(b"\xff\xda")
    return raw[:last] + raw[last:-2] * count + raw[-2:]


@pytest.mark.parametrize(
    ("content", "many"),
    [
        (in_jpeg(b"\xff\xfe\0\2"), "10,000 segments"),
        (in_jpeg(b"\xff\xe5\0\0"), "10,000 segments"),
        (in_jpeg(b"\xff"), "10,000 segments"),
        (in_jpeg(b"\xff\0"), "10,000 segments"),
        (in_jpeg(b"\xff\xd0"), "10,000 segments"),
        (in_jpeg(b"\xff\xd9"), "10,000 segments"),
        (of_scans(200), "100 scans"),
        (in_png(b"prVt"), "10,000 chunks"),
        (in_png(b"iCCP", 11), "10 colour profiles"),
        (in_png(b"IDAT", 100_001), "100,000 chunks"),
        (in_gif(b"!\xfe\1a\0" * MANY), "10,000 extensions"),
        (in_gif(b"\0" * MANY), "10,000 extensions"),
        (in_gif(b"!\xfe" + b"\1a" * MANY + b"\0"), "10,000 blocks"),
    ],
)
def test_many_parts_are_refused_before_they_are_read(content: bytes, many: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    said = fault(tmp_path / "x")
    assert said is not None
    assert f"more than {many}" in said
    assert memory_needed(tmp_path / "x") == 0


@pytest.mark.parametrize(
    "content",
    [
        picture("JPEG"),
        picture("JPEG", progressive=True),
        picture("JPEG", icc_profile=b"p" * 300_000, comment=b"c" * 60_000),
        of_scans(10),
        picture("JPEG") + b"\xff\xda" * MANY,
        picture("PNG"),
        picture("PNG", icc_profile=b"p" * 10_000),
        in_png(b"IDAT", 1000),
        picture("GIF"),
        in_gif(b"!\xfe" + b"\1a" * 1000 + b"\0"),
        picture("TIFF"),
        picture("WEBP"),
        picture("BMP"),
    ],
)
def test_whatever_encoders_write_is_let_through(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    assert too_many_parts(tmp_path / "x") is None
    assert fault(tmp_path / "x") is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_a_file_that_ends_anywhere_is_for_its_decoder(kind: str, tmp_path: Path) -> None:
    content = picture(kind)
    for end in range(len(content)):
        (tmp_path / "x").write_bytes(content[:end])
        assert too_many_parts(tmp_path / "x") is None
