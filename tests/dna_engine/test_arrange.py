"""Class folders become a dataset that the engine opens."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from dna_engine.arrange import arrange, check_pictures, fingerprint
from dna_engine.errors import DataError
from dna_engine.images import class_names, describe, open_folder


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
@pytest.mark.parametrize("test", ["test", "val", "validation"])
def test_train_and_test(around: str, test: str, tmp_path: Path) -> None:
    files = [f"{around}{split}/{name}/1.png" for split in ("train", test) for name in ("cat", "dog")]
    arrange(write(tmp_path / "in", *files), tmp_path / "out")
    assert names(tmp_path / "out") == ["test/cat/1.png", "test/dog/1.png", "train/cat/1.png", "train/dog/1.png"]


@pytest.mark.parametrize("around", ["", "birds/", "birds/train/"])
def test_a_fifth_of_every_class_is_kept_for_testing(around: str, tmp_path: Path) -> None:
    files = [f"{around}{name}/{number:02d}.png" for name, count in (("cat", 10), ("dog", 2)) for number in range(count)]
    for place in ("first", "second"):
        arrange(write(tmp_path / place / "in", *files), tmp_path / place / "out")
    assert names(tmp_path / "first/out") == names(tmp_path / "second/out")
    train, test = open_folder(tmp_path / "first/out")
    assert (train.labels.count(0), train.labels.count(1), test.labels) == (8, 1, [0, 0, 1])
    info = describe("birds", "upload", "f", (train, test), class_names=class_names(tmp_path / "first/out"))
    assert (info.num_classes, info.num_train, info.num_test, info.image_size) == (2, 9, 3, 10)
    assert info.class_names == ["cat", "dog"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "holds no class folders"),
        (["1.png", "2.png"], "holds no class folders"),
        (["cat/1.png", "dog/1.png", "dog/2.png"], "The class 'cat' has one image"),
        (["train/1.png", "train/cat/1.png"], "1.png lies beside the class folders"),
        (["cat/1.png", "cat/2.png", "3.png"], "3.png lies beside the class folders"),
    ],
)
def test_what_is_no_dataset(files: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        arrange(write(tmp_path / "in", *files), tmp_path / "out")


def huge_png() -> bytes:
    """20,000 x 20,000 pixels in 60 bytes."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


def test_every_picture_is_opened(tmp_path: Path) -> None:
    root = write(tmp_path, "train/cat/good.png", "train/cat/fine.png")
    (root / "train/cat/photo.jpg").write_bytes(picture(form="jpeg"))
    check_pictures(root)
    (root / "train/cat/text.png").write_text("not a picture")
    (root / "train/cat/cut.jpg").write_bytes(picture(form="jpeg")[:-40])
    (root / "train/cat/huge.png").write_bytes(huge_png())
    with pytest.raises(DataError, match=r"^3 of 6 files cannot be used") as caught:
        check_pictures(root)
    for name in ("text.png", "cut.jpg", "huge.png"):
        assert f"train/cat/{name}: " in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_many_bad_pictures_are_counted(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.png").write_text("no")
    with pytest.raises(DataError, match=r"8 of 8 .* and 3 more"):
        check_pictures(tmp_path)


def test_the_fingerprint_is_of_names_and_contents(tmp_path: Path) -> None:
    for place in ("a", "b", "c", "d"):
        write(tmp_path / place, "cat/1.png", "dog/1.png")
    (tmp_path / "c/dog/1.png").write_bytes(picture(9))
    (tmp_path / "d/dog/1.png").rename(tmp_path / "d/dog/2.png")
    prints = [fingerprint(tmp_path / place) for place in ("a", "b", "c", "d")]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
