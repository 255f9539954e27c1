"""Pictures are decoded side by side within an amount of memory, and refused where they need more than all of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dna_engine.errors import Interrupted
from dna_engine.images.pictures.decoder import Budget, Decoder
from dna_engine.images.pictures.picture import memory_needed
from tests.dna_engine.images.pictures.test_head import TWO_SCANS


def faults(paths: list[Path], memory: int) -> list[tuple[Path, str]]:
    decoder = Decoder(memory)
    found = list(decoder.faults(paths, lambda: False))
    decoder.close()
    return found


def test_a_budget_is_never_passed_and_everybody_has_a_turn() -> None:
    budget = Budget(10)
    holding, most, lock = 0, 0, threading.Lock()

    def work(amount: int) -> None:
        nonlocal holding, most
        for _ in range(200):
            with budget.take(amount):
                with lock:
                    holding += amount
                    most = max(most, holding)
                with lock:
                    holding -= amount

    threads = [threading.Thread(target=work, args=(amount,)) for amount in (1, 3, 4, 10, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert most <= 10


def test_what_was_taken_comes_back_after_an_error() -> None:
    budget = Budget(1)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"), budget.take(1):
            raise ValueError("broken")


def test_the_faults_of_many_pictures_in_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:03d}.png" for number in range(150)]
    for number, path in enumerate(paths):
        if number % 50 == 49:
            path.write_text("no picture")
        else:
            Image.new("RGB", (8, 8)).save(path)
    found = faults(paths, 10_000)
    assert [path.name for path, _ in found] == ["049.png", "099.png", "149.png"]
    assert all("cannot identify" in why for _, why in found)


def test_a_picture_that_needs_more_than_all_memory_is_named(tmp_path: Path) -> None:
    Image.new("RGBA", (300, 300)).save(tmp_path / "large.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "photo.jpg", quality=50)
    ((path, why),) = faults([tmp_path / "large.png", tmp_path / "photo.jpg"], 300_000)
    assert path.name == "large.png"
    assert "takes 360,026 bytes of memory, more than 300,000: save it with fewer pixels, or as a JPEG" in why


def test_nobody_waits_any_more(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    decoder = Decoder(10_000)
    with pytest.raises(Interrupted):
        list(decoder.faults([tmp_path / "1.png"], lambda: True))
    decoder.close()


#: What is not saved by its suffix alone.
SAVED: dict[str, Callable[[Image.Image, Path], object]] = {
    "rgba.png": lambda picture, path: picture.convert("RGBA").save(path),
    "la.png": lambda picture, path: picture.convert("LA").save(path),
    "deep.png": lambda picture, path: Image.fromarray(np.full(picture.size[::-1], 9_000, np.uint16)).save(path),
    "deep.tif": lambda picture, path: Image.fromarray(np.full(picture.size[::-1], 9_000, np.uint16)).save(path),
    "float.tif": lambda picture, path: Image.new("F", picture.size, 0.5).save(path),
    "lossless.webp": lambda picture, path: picture.save(path, lossless=True),
    "progressive.jpg": lambda picture, path: picture.save(path, progressive=True, subsampling=0),
    "cmyk.jpg": lambda picture, path: picture.convert("CMYK").save(path, progressive=True, subsampling=0),
    "one-strip.tif": lambda picture, path: picture.save(path, compression="tiff_deflate", strip_size=1 << 30),
    "two-scans.jpg": lambda _, path: path.write_bytes(TWO_SCANS),
}


def save(path: Path, kind: str) -> None:
    """Pictures of 1.8 million pixels, small as files."""
    picture = Image.new("RGB", (1500, 1200), (9, 100, 3))
    SAVED.get(kind, lambda picture, path: picture.save(path))(picture, path)


#: Decodes the picture of its first argument, and prints by how many bytes its memory had to grow for it.
_MEASURED = """
import sys
from pathlib import Path
from PIL import Image
from dna_engine.images.check.facts import Facts, examine
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
for form in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM"):
    Image.new("RGB", (8, 8)).save(sys.argv[2], form)
    assert isinstance(examine(Path(sys.argv[2])), Facts)
before = peak()
assert isinstance(examine(Path(sys.argv[1])), Facts)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell the largest memory")
@pytest.mark.parametrize(
    "kind",
    ["rgb.png", "rgba.png", "la.png", "deep.png", "deep.tif", "float.tif", "a.avif", "lossless.webp", "lossy.webp", "progressive.jpg", "cmyk.jpg", "plain.jpg", "one-strip.tif", "plain.tif", "a.gif", "a.bmp", "a.ppm"],
)  # fmt: skip
def test_decoding_takes_no_more_than_is_counted(kind: str, tmp_path: Path) -> None:
    save(tmp_path / kind, kind)
    command = [sys.executable, "-c", _MEASURED, str(tmp_path / kind), str(tmp_path / "small")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= memory_needed(tmp_path / kind) + (2 << 20)
