"""The example for own photos, from a folder to a network that onnxruntime runs as well as the service says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dna_client import Client
from examples import own_photos
from tests.e2e.conftest import Done

SCRIPT = Path(own_photos.__file__)


def take_photos(root: Path) -> Path:
    """Three classes of twelve noisy photos of 48 to 80 pixels, each class with a colour of its own; some lie on their sides."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(("Grüne Vögel", "d & e", "tench")):
        (root / name).mkdir(parents=True)
        for number in range(12):
            height, width = rng.integers(48, 81, 2)
            pixels = rng.integers(0, 120, (height, width, 3), dtype=np.uint8)
            pixels[: height // 2, :, label] += 120
            exif = Image.Exif()
            exif[0x0112] = (1, 6, 8)[number % 3]
            Image.fromarray(pixels).save(root / name / f"IMG {number}.JPG", quality=90, exif=exif)
        (root / name / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    return root


def test_the_program_ends_with_the_accuracy_that_was_said(done: Done, tmp_path: Path) -> None:
    photos = take_photos(tmp_path / "Meine Fotos")
    command = [sys.executable, SCRIPT, photos, "--epochs", "2", "--output", tmp_path / "out"]
    ended = subprocess.run(command, env={**os.environ, "DNA_URL": done.url}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 classes, 30 photos to train and 6 to test with." in ended.stdout
    assert re.search(r"^That takes about .* on cpu, if nothing else runs there\.$", ended.stdout, re.MULTILINE)
    assert re.search(
        r"control: \S+% with .* parameters.*\n\S.*inner.*\.\nThe service keeps .*\n\nThe same", ended.stdout
    )
    said = re.search(r"winner: (\S+%) with", ended.stdout)
    found = re.search(r"(\d) of 6 photos right: (\S+%)\n$", ended.stdout)
    assert said
    assert found
    assert said[1] == found[2] == f"{int(found[1]) / 6:.2%}"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"winner.onnx", "winner.json"}
    # The worker, which shares no folder with the API but the artifacts, has unpacked what was sent.
    with Client(done.url) as client:
        [dataset] = [dataset for dataset in client.datasets() if dataset["name"].startswith("Meine-Fotos-")]
    assert dataset["fingerprint"] in {folder.name for folder in (done.worker / "datasets/uploads").glob("[!.]*")}


def test_an_archive_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(b"PK")
    ended = subprocess.run([sys.executable, SCRIPT, tmp_path / "photos.zip"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.endswith("photos.zip is no folder; unpack it first, if it is an archive.\n")


def test_no_epochs_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, tmp_path, "--epochs", "0"]
    ended = subprocess.run(command, env={**os.environ, "DNA_URL": "http://127.0.0.1:9"}, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.endswith("0 epochs are none; at least 1 is needed.\n")


def test_a_file_where_the_network_is_to_go_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    command = [sys.executable, SCRIPT, take_photos(tmp_path / "photos"), "--output", tmp_path / "taken"]
    ended = subprocess.run(command, env={**os.environ, "DNA_URL": "http://127.0.0.1:9"}, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "taken is a file, not a folder" in ended.stderr


def test_a_service_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["own_photos.py", str(take_photos(tmp_path / "photos"))])
    monkeypatch.setenv("DNA_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(own_photos, "Client", partial(Client, pauses=(0.01,)))
    monkeypatch.chdir(tmp_path)
    assert own_photos.main() == 6
    assert capsys.readouterr().err.startswith("error: ")
