"""The checks of ``access.py`` find what is wrong: what they passed would else show nothing."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.browser.access import AXE, too_wide, unreachable, violations
from tests.browser.dashboard import Dashboard


def test_axe_is_the_published_one() -> None:
    [checksum] = re.findall(
        r"`axe\.min\.js` \|.*`([0-9a-f]{64})` \|$", (AXE.parent / "README.md").read_text(), re.MULTILINE
    )
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == checksum


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ("<img src='data:,'>", "image-alt"),
        ("<p style='color: #aaa; background: #fff'>pale</p>", "color-contrast"),
    ],
)
def test_axe_finds_what_is_wrong(dashboard: Dashboard, markup: str, said: str) -> None:
    dashboard.page.goto("about:blank")
    dashboard.page.set_content(markup)
    assert said in "\n".join(violations(dashboard.page))


def test_what_is_wrong_with_size_and_keyboard_is_found(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.set_content(
        "<main style='width: 3000px'>wide</main><div style='overflow: auto'><p style='width: 4000px'>cut</p></div>"
    )
    assert [found for found in too_wide(page) if "wide" in found]
    assert not [found for found in too_wide(page) if "cut" in found]
    page.set_content(
        "<a href='#a' style='outline: none'>dull</a> <button tabindex=-1>missed</button> <button>fine</button>"
    )
    found = unreachable(page)
    assert len(found) == 2
    assert "does not show it: <a" in found[0]
    assert "Tab does not come to it: <button tabindex" in found[1]
