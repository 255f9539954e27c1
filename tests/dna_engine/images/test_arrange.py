"""What was unpacked becomes a dataset that the engine opens, once every picture of it was."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from dna_engine.errors import DataError
from dna_engine.images.albums import describe_folder, open_folder
from dna_engine.images.arrange import arrange, check_pictures, fingerprint, quick_fingerprint
from dna_engine.images.layout.layout import read_layout
from dna_engine.images.pictures.decoder import Decoder


def picture(shade: int = 0, *, form: str = "png") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (12, 10), (shade, 0, 0)).save(out, form)
    return out.getvalue()


def write(root: Path, *names: str) -> Path:
    for shade, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(picture(shade))
    return root


def names(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("around", ["", "birds/", "a/b/"])
@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("train", "val"), ("Training", "Validation")])
def test_train_and_test(around: str, train: str, test: str, tmp_path: Path) -> None:
    files = [f"{around}{split}/{name}/1.png" for split in (train, test) for name in ("cat", "dog")]
    arrange(read_layout(write(tmp_path / "in", *files)), tmp_path / "out")
    assert names(tmp_path / "out") == ["test/cat/1.png", "test/dog/1.png", "train/cat/1.png", "train/dog/1.png"]


def test_what_is_kept_for_testing_stays_so(tmp_path: Path) -> None:
    """A dataset is described once it is arranged, and opened by every step: always the same images."""
    files = [f"{name}/{number:02d}.png" for name, count in (("cat", 10), ("dog", 2)) for number in range(count)]
    layout = read_layout(write(tmp_path / "in", *files))
    arrange(layout, tmp_path / "out")
    train, test, _ = open_folder(tmp_path / "out")
    assert [path.name for path in test.paths] == [path.name for path in layout.test.files]
    assert (train.labels.count(0), train.labels.count(1), test.labels) == (8, 1, [0, 0, 1])
    info = describe_folder("birds", "upload", "f", read_layout(tmp_path / "out"))
    assert (info.num_classes, info.num_train, info.num_test, info.image_size) == (2, 9, 3, 10)
    assert info.class_names == ["cat", "dog"]


def test_what_was_left_out_is_described(tmp_path: Path) -> None:
    files = [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(2)]
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/notes.txt").write_text("meow")
    info = describe_folder("pets", "folder", str(tmp_path), read_layout(write(tmp_path, *files)))
    assert info.left_out == ["Files that are no images are left out. (1: cat/notes.txt)"]
    assert (
        "left_out"
        not in describe_folder("pets", "folder", "x", read_layout(write(tmp_path / "clean", *files))).model_dump()
    )


def huge_png() -> bytes:
    """20,000 x 20,000 pixels in 60 bytes."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


def check(root: Path) -> None:
    decoder = Decoder(memory=100_000_000)
    check_pictures(read_layout(root), root, decoder)
    decoder.close()


def test_every_picture_is_opened(tmp_path: Path) -> None:
    root = write(tmp_path, *(f"{split}/{name}/good.png" for split in ("train", "val") for name in ("cat", "dog")))
    (root / "train/cat/photo.jpg").write_bytes(picture(form="jpeg"))
    check(root)
    (root / "val/cat/text.png").write_text("not a picture")
    (root / "train/cat/cut.jpg").write_bytes(picture(form="jpeg")[:-40])
    (root / "train/cat/huge.png").write_bytes(huge_png())
    with pytest.raises(DataError, match=r"^3 of 8 files cannot be used") as caught:
        check(root)
    for name in ("val/cat/text.png", "train/cat/cut.jpg", "train/cat/huge.png"):
        assert f"{name}: " in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_many_bad_pictures_are_counted(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / ("cat", "dog")[number % 2]).mkdir(exist_ok=True)
        (tmp_path / ("cat", "dog")[number % 2] / f"{number}.png").write_text("no")
    with pytest.raises(DataError, match=r"8 of 8 .* and 3 more"):
        check(tmp_path)


def test_the_quick_fingerprint_follows_links(tmp_path: Path) -> None:
    write(tmp_path / "images", "cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")
    for name in ("cat", "dog"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).symlink_to(tmp_path / "images" / name)
    before = quick_fingerprint(read_layout(tmp_path / "data"))
    assert before == quick_fingerprint(read_layout(tmp_path / "images"))
    (tmp_path / "images/cat/2.png").write_bytes(b"another")
    assert quick_fingerprint(read_layout(tmp_path / "data")) != before


def test_the_fingerprint_is_of_names_and_contents(tmp_path: Path) -> None:
    for place in ("a", "b", "c", "d"):
        write(tmp_path / place, "cat/1.png", "dog/1.png")
    (tmp_path / "c/dog/1.png").write_bytes(picture(9))
    (tmp_path / "d/dog/1.png").rename(tmp_path / "d/dog/2.png")
    prints = [fingerprint(tmp_path / place) for place in ("a", "b", "c", "d")]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
