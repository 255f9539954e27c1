"""Every page can be used by everybody: in light and dark, on a telephone and a wall, by keyboard and screen reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.access import too_wide, unreachable, violations
from tests.browser.conftest import Opened
from tests.browser.dashboard import Dashboard
from tests.browser.routes import ROUTES, STATES, address
from tests.browser.service import Service

DASHBOARD = Path(__file__).parents[2] / "api" / "static" / "dashboard"
EVERY = [*ROUTES, *STATES]


def show(dashboard: Dashboard, name: str) -> None:
    if name == "no such search":
        dashboard.expect("^answered 404: GET /")
    dashboard.open(address(name, dashboard.service.ids))


def test_every_route_is_here() -> None:
    """A page that is not would be looked at by none of these."""
    assert set(re.findall(r'^  \["([^"]+)", ', (DASHBOARD / "routes.js").read_text(), re.MULTILINE)) == set(ROUTES)


@pytest.mark.parametrize("name", EVERY)
def test_axe_finds_nothing(dashboard: Dashboard, name: str) -> None:
    """Of levels A and AA; contrast in light and dark included."""
    show(dashboard, name)
    for scheme in ("light", "dark"):
        dashboard.page.emulate_media(color_scheme=scheme)
        found = violations(dashboard.page)
        assert not found, "\n".join([f"In {scheme}:", *found])


@pytest.mark.parametrize("name", EVERY)
def test_fits_every_screen(running: Service, opened: Opened, name: str) -> None:
    for width, height in ((360, 740), (3840, 2160)):
        with opened(running, viewport={"width": width, "height": height}) as dashboard:
            show(dashboard, name)
            found = too_wide(dashboard.page)
            assert not found, "\n".join([f"At {width} pixels:", *found])


@pytest.mark.parametrize("name", EVERY)
def test_everything_is_reached_by_the_keyboard(dashboard: Dashboard, name: str) -> None:
    show(dashboard, name)
    assert not (found := unreachable(dashboard.page)), "\n".join(found)
