"""The dashboard as a test sees it: a page, where its service is, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.service import Service
from tests.browser.watch import Watch

#: Where the browser is: no whole hours from UTC, so that a time that was not made local is seen.
TIMEZONE = "Asia/Kolkata"

#: Milliseconds until a page that is asked for must be there; a busy machine takes its time.
PATIENCE = 30_000


def drawn(page: Page) -> None:
    """Waits until the page that shows has read all that it shows."""
    main = page.locator("main")
    expect(main.locator("h1, .empty:not([role=status]), .note").first).to_be_visible(timeout=PATIENCE)
    expect(main.locator(".empty[role=status], [aria-busy=true]")).to_have_count(0, timeout=PATIENCE)


@dataclass(frozen=True)
class Dashboard:
    page: Page
    service: Service
    watch: Watch

    def open(self, route: str) -> Page:
        """Loads the page at a route, such as ``#/searches``, and waits until it has drawn what it reads. What the tab keeps is kept."""
        self.page.goto("about:blank")  # An address that differs behind # alone would load nothing.
        self.page.goto(f"{self.service.url}/{route}")
        drawn(self.page)
        return self.page

    def expect(self, fault: str) -> None:
        """As of :meth:`Watch.expect`: a fault that the test means to cause, a regular expression in the words of ``watch.py``."""
        self.watch.expect(fault)
