"""A full disk is told in words that say what to do."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from dna_engine.disk import room_on, size
from dna_engine.errors import DiskFull
from dna_engine.runtime import checkpoint


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte, where one may be made."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("this user may not mount a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
    ids=repr,
)
def test_it_says_which_disk_and_how_much(tmp_path: Path, error: Exception) -> None:
    with (
        pytest.raises(DiskFull, match=r"disk of the attic is full: 2\.5 MB needed, .* free") as caught,
        room_on("the attic", tmp_path / "not/there", needed=2_500_000),
    ):
        raise error
    assert caught.value.code == "disk_full"


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), room_on("the attic", tmp_path):
        (tmp_path / "nothing").read_text()


def test_a_checkpoint_without_room_leaves_the_one_before(small_disk: Path) -> None:
    path = small_disk / "c.safetensors"
    checkpoint.save(path, {"done": 1})
    with pytest.raises(DiskFull, match=r"the run folder is full: 4\.0 MB needed, .* free"):
        checkpoint.save(path, {"weights": torch.zeros(1_000_000), "done": 2})
    assert checkpoint.load(path) == {"done": 1}
    assert [file.name for file in small_disk.iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize(("count", "text"), [(999, "999 bytes"), (1500, "1.5 kB"), (3_200_000_000, "3.2 GB")])
def test_sizes_read_well(count: int, text: str) -> None:
    assert size(count) == text
