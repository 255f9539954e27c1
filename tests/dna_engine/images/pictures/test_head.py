"""What decoders would take is known before they see a file: lists, scans and notes."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from dna_engine.errors import DataError
from dna_engine.images.pictures.head import has_several_scans, longest_list, notes_of_png
from dna_engine.images.pictures.picture import memory_needed, open_picture, size_of
from tests.dna_engine.images.check.faults import fault


def jpeg(**options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (9, 100, 3)).save(out, "JPEG", **options)
    return out.getvalue()


def with_scan_of(raw: bytes, components: int) -> bytes:
    """As if the first scan had so many components."""
    at = raw.index(b"\xff\xda") + 4
    return raw[:at] + bytes([components]) + raw[at + 1 :]


TWO_SCANS = with_scan_of(jpeg(), 1)


def tiff(count: int, *, order: str = "<", big: bool = False) -> bytes:
    """A picture of 8 x 8 in ``count`` strips, as its head claims; they all begin at one place."""
    pairs = [
        (256, 3, 1, 8),
        (257, 3, 1, 8),
        (258, 3, 1, 8),
        (262, 3, 1, 1),
        (273, 4, count, 200),
        (278, 4, 1, 8),
        (279, 4, 1, 64),
    ]
    mark = b"II" if order == "<" else b"MM"
    if big:
        head = mark + struct.pack(f"{order}HHHQ", 43, 8, 0, 16) + struct.pack(f"{order}Q", len(pairs))
        fields = [struct.pack(f"{order}HHQQ", *pair) for pair in pairs]
    else:
        head = mark + struct.pack(f"{order}HL", 42, 8) + struct.pack(f"{order}H", len(pairs))
        fields = [struct.pack(f"{order}HHLL", *pair) for pair in pairs]
    return (head + b"".join(fields)).ljust(200, b"\0") + struct.pack(f"{order}L", 8) * count


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_of_very_many_strips_is_refused_before_they_are_read(order: str, big: bool, tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    path.write_bytes(tiff(200_000, order=order, big=big))
    assert longest_list(path) == 200_000
    assert fault(path) == "ValueError: its head has a list of 200,000 values"
    with pytest.raises(DataError, match="list of 200,000 values"):
        open_picture(path)


@pytest.mark.parametrize(
    "raw",
    [b"", b"II", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0+\0\x08\0\0" + b"\xff" * 8, b"II*\0\x08\0\0\0\xff\xff"],
)
def test_heads_that_are_cut(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "cut.tif").write_bytes(raw)
    assert longest_list(tmp_path / "cut.tif") == 0
    assert fault(tmp_path / "cut.tif") is not None


def test_a_directory_that_is_cut_behind_a_long_list(tmp_path: Path) -> None:
    """Pillow goes on with the fields that it has found."""
    (tmp_path / "cut.tif").write_bytes(tiff(200_000)[:100].replace(b"\x07\0", b"\x63\0", 1))
    assert longest_list(tmp_path / "cut.tif") == 200_000


def test_lists_of_usual_pictures_are_short(tmp_path: Path) -> None:
    Image.new("RGB", (64, 500)).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert 1 <= longest_list(tmp_path / "a.tif") < 100
    assert fault(tmp_path / "a.tif") is None
    (tmp_path / "a.jpg").write_bytes(jpeg())
    assert longest_list(tmp_path / "a.jpg") == 0


@pytest.mark.parametrize(
    ("raw", "several"),
    [
        (jpeg(), False),
        (jpeg(exif=b"Exif\0\0" + bytes(900), quality=95), False),
        (jpeg(progressive=True), True),
        (TWO_SCANS, True),
        (jpeg()[:40], True),
        (jpeg()[:2] + b"\0\0" + jpeg()[2:], True),
        (b"\x89PNG", False),
    ],
)
def test_scans(raw: bytes, several: bool, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(raw)
    assert has_several_scans(tmp_path / "a.jpg") is several


def test_a_jpeg_of_several_scans_is_held_whole(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(jpeg())
    (tmp_path / "several.jpg").write_bytes(jpeg(progressive=True))
    assert memory_needed(tmp_path / "several.jpg") - memory_needed(tmp_path / "one.jpg") > 64 * 64 * 5


def test_notes_of_a_png(tmp_path: Path) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("about", "x" * 5000)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png", pnginfo=notes)
    Image.new("RGB", (64, 64)).save(tmp_path / "b.png")
    assert notes_of_png(tmp_path / "a.png") - notes_of_png(tmp_path / "b.png") == 5000 + len("about\0")
    assert notes_of_png(tmp_path / "b.png") < 50


def test_notes_that_unpack_to_much(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    raw = (tmp_path / "a.png").read_bytes()
    text = b"zTXtk\0\0" + zlib.compress(bytes(1 << 20), 9)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    (tmp_path / "a.png").write_bytes(raw[:33] + 6 * chunk + raw[33:])
    assert "MAX_TEXT_MEMORY" in str(fault(tmp_path / "a.png"))


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("text.ppm", b"P3 2 2 255\n" + 12 * b"1 "),
        ("unusual.ppm", b"P6 2 2 254\n" + 12 * b"\1"),
        ("sixteen.ppm", b"P6 2 2 65535\n" + 24 * b"\1"),
    ],
)
def test_what_is_decoded_slowly_is_refused(name: str, raw: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(raw)
    assert "read too slowly: save it as PNG" in str(fault(tmp_path / name))


def test_the_size_is_read_from_the_head(tmp_path: Path) -> None:
    """The pixels are cut off."""
    Image.effect_noise((90, 60), 50).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    assert size_of(tmp_path / "a.png") == (90, 60)
    (tmp_path / "class").mkdir()
    (tmp_path / "class/b.png").write_text("no picture")
    with pytest.raises(
        DataError, match=r"^[^/]*/class/b.png cannot be read as an image \(cannot identify image file 'b.png'\)"
    ):
        size_of(tmp_path / "class/b.png")
