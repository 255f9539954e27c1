"""The browser of the tests: the system's Chromium, driven by Playwright. Nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

#: Names a path of a Chromium that is not on PATH.
VARIABLE = "DNA_TEST_CHROMIUM"

#: The shell draws no window's own parts, which without one nobody sees: each page and context costs it less than half.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

#: What is said where there is none: the reason of each skipped test, by which the summary finds them.
MISSING = "There is no Chromium on this machine"

ADVICE = f"""\
The browser tests did NOT run. {MISSING}.
Install one and run the tests again, for instance:  apt-get install --no-install-recommends chromium-headless-shell
or name one that is not on PATH:  {VARIABLE}=/path/to/chrome make test"""

#: No name but the service's leads anywhere: what a page asks of another host fails, and is seen.
_ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def find() -> str | None:
    """Path of the browser; None where there is none."""
    if named := os.environ.get(VARIABLE):
        return named
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextmanager
def running(path: str) -> Iterator[Browser]:
    """A browser without a window inside the block. While it runs, this thread has an event loop: it can run no other."""
    arguments = [_ALONE]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's needs a user who is not root.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
