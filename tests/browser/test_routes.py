"""Every page can be used by everybody: in light and dark, on a telephone and a wall, by keyboard and screen reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.access import too_wide, unreachable, violations
from tests.browser.dashboard import Dashboard
from tests.browser.routes import ROUTES, STATES, address

DASHBOARD = Path(__file__).parents[2] / "api" / "static" / "dashboard"
EVERY = [*ROUTES, *STATES]


def show(dashboard: Dashboard, name: str) -> None:
    if name == "no such search":
        dashboard.expect("^answered 404: GET /")
    dashboard.open(address(name, dashboard.service.ids))


def settled(page: Page) -> list[str]:
    """What is too wide once drawings have taken the new width, which they hear of a moment later."""
    for _ in range(50):
        if not (found := too_wide(page)):
            break
        page.wait_for_timeout(100)
    return found


def test_every_route_is_here() -> None:
    """A page that is not would be looked at by none of these."""
    assert set(re.findall(r'^  \["([^"]+)", ', (DASHBOARD / "routes.js").read_text(), re.MULTILINE)) == set(ROUTES)


@pytest.mark.parametrize("name", EVERY)
def test_everybody_can_use_it(dashboard: Dashboard, name: str) -> None:
    """By axe at levels A and AA, contrast in light and dark included; nothing is too wide; Tab comes to everything and shows where it is.

    Opened once for all of it: to load a page is most of the work.
    """
    show(dashboard, name)
    page, found = dashboard.page, []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"In {scheme}: {fault}" for fault in violations(page)]
    found += [f"By keyboard: {fault}" for fault in unreachable(page)]
    for width, height in ((360, 740), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        found += [f"At {width} pixels: {fault}" for fault in settled(page)]
    assert not found, "\n".join(found)
