"""A machine without a browser: nobody takes green tests for pages that work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import chromium

ROOT = Path(__file__).parents[2]
ONE = "tests/browser/test_watch.py::test_what_is_fine_is_no_fault"


def without_browser(*arguments: str, ci: str = "") -> subprocess.CompletedProcess[str]:
    """A run of one browser test where no browser can be found."""
    environment = {**os.environ, "PATH": "/nowhere", "CI": ci}
    environment.pop(chromium.VARIABLE, None)
    command = [sys.executable, "-m", "pytest", ONE, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_last_lines_say_that_they_did_not_run_and_what_to_do() -> None:
    run = without_browser("-n1")  # Where others run the tests, these must tell it to the first.
    assert run.returncode == 0, run.stdout + run.stderr
    *said, end = run.stdout.rstrip().splitlines()
    assert said[-4].strip("! ") == "BROWSER TESTS DID NOT RUN"
    assert said[-3:] == chromium.ADVICE.splitlines()
    assert "1 skipped" in end


def test_on_a_machine_that_checks_changes_they_fail() -> None:
    run = without_browser("-n0", ci="true")
    assert run.returncode == 1
    assert chromium.ADVICE.splitlines()[0] in run.stdout


def test_one_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chromium.VARIABLE, "/opt/chrome")
    assert chromium.find() == "/opt/chrome"
