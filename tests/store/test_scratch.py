"""Folders for work: gone after it, also when whoever worked was killed, and never while somebody works."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from store.scratch import remove_abandoned, scratch_folder

#: Works in a folder below its first argument until it is killed.
_WORKING = """
import sys, time
from pathlib import Path
from store.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), "incoming") as folder:
    (folder / "unpacked").mkdir()
    (folder / "unpacked/bomb.png").write_bytes(bytes(1000))
    print(folder.name, flush=True)
    time.sleep(600)
"""


def test_it_is_gone_after_the_work(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "data", "incoming") as folder:
        (folder / "file").write_text("x")
    with pytest.raises(ValueError, match="bad"), scratch_folder(tmp_path / "data", "unpacking") as folder:
        raise ValueError("bad")
    with scratch_folder(tmp_path / "data", "removed") as folder:
        folder.rename(tmp_path / "data/kept")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["kept"]


def test_what_a_killed_process_left_is_removed_and_nothing_that_is_in_use(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WORKING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert remove_abandoned(tmp_path) == []
        assert (tmp_path / name / "unpacked/bomb.png").exists()
        process.kill()
    assert (tmp_path / name / "unpacked/bomb.png").exists()
    assert remove_abandoned(tmp_path) == [name]
    assert list(tmp_path.iterdir()) == []


def test_only_folders_for_work_are_looked_at(tmp_path: Path) -> None:
    for name in ("uploads", ".incoming", "incoming-1", ".removed-1", ".unpacking-1"):
        (tmp_path / name).mkdir()
    assert sorted(remove_abandoned(tmp_path)) == [".removed-1", ".unpacking-1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".incoming", "incoming-1", "uploads"]
    assert remove_abandoned(tmp_path / "nowhere") == []


def test_who_begins_while_another_tidies_up_keeps_the_folder(tmp_path: Path) -> None:
    done = threading.Event()

    def tidy() -> None:
        while not done.is_set():
            remove_abandoned(tmp_path)

    tidying = threading.Thread(target=tidy)
    tidying.start()
    try:
        for _ in range(100):
            with scratch_folder(tmp_path, "incoming") as folder:
                (folder / "file").write_text("x")
                assert (folder / "file").read_text() == "x"
    finally:
        done.set()
        tidying.join()
    assert list(tmp_path.iterdir()) == []
