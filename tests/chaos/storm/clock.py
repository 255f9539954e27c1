"""A wall clock that can be stepped, of the processes that are started with it: of nothing else on this machine.

libfaketime (a wheel of the development requirements) stands between them and the C library; what it adds to the time stands in a file that it
reads again every second. Monotonic clocks go on, as they do when NTP or an operator sets a real one.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


class Clock:
    """``file`` says how many seconds it is off. Where the library cannot be loaded (``works``), processes have the true time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.step(0)
        self.works = _library().is_file() and self._is_believed()

    @property
    def environment(self) -> dict[str, str]:
        """For processes that go by it."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def step(self, seconds: int) -> None:
        """It is so many seconds ahead of the true time from now on; behind it where they are negative."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{seconds:+d}")
        beside.replace(self._file)

    def _is_believed(self) -> bool:
        self.step(-1_000_000_000)
        asked = [sys.executable, "-S", "-c", "import time; print(time.time())"]
        told = subprocess.run(asked, env=self.environment, capture_output=True, text=True, check=True).stdout
        self.step(0)
        return float(told) < 1_000_000_000


def _library() -> Path:
    found = find_spec("libfaketime")
    if found is None or found.origin is None:
        return Path("libfaketime-is-not-installed")
    return Path(found.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
