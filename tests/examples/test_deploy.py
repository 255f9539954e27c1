"""What ``examples/deploy.py`` refuses; what it does is tried on a search that has ended, in ``tests/e2e``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from examples import deploy

SCRIPT = Path(deploy.__file__)


def test_what_is_not_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    for arguments, said in (
        ([tmp_path / "none", tmp_path / "photo.jpg"], "is no folder"),
        ([tmp_path, tmp_path], "is no file"),
    ):
        ended = subprocess.run([sys.executable, SCRIPT, "digits", *arguments], capture_output=True, text=True)
        assert ended.returncode == 2
        assert said in ended.stderr
