"""Whether everybody can use a page: what axe finds, whether it fits a screen, what Tab reaches and shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe.min.js"

#: Web Content Accessibility Guidelines 2.0 to 2.2, levels A and AA, and what is good practice with landmarks and headings is not asked.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

#: What a person can act on. Members of these sets are reached by arrows, and only one of each by Tab.
_REACHABLE = """() => {
    const sets = '[role=tablist],[role=radiogroup],[role=grid],[role=listbox],[role=menu],[role=toolbar],[role=slider]';
    const able = 'a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex],[contenteditable=true]';
    const seen = element => element.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true});
    const byArrows = element => element.closest(sets) || element.type === 'radio';
    window.__reachable = [...document.querySelectorAll(able)].filter(
        element => seen(element) && !element.matches(':disabled') && !element.closest('[inert]')
            && !(element.tabIndex < 0 && (byArrows(element) || !element.matches('a,button,input,select,textarea,summary'))));
    document.activeElement?.blur();
    return window.__reachable.map(element => byArrows(element) && element.tabIndex < 0 || element.type === 'radio'
        ? null : element.outerHTML.slice(0, 160));
}"""

#: Which of them has the focus, and whether that can be seen on it, its label or what stands around it. Of none: -1.
_FOCUSED = """() => {
    const element = document.activeElement;
    const ringed = one => {
        const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(one);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0 || boxShadow !== 'none';
    };
    const near = [element, element.parentElement, element.nextElementSibling, ...(element.labels ?? [])];
    return [window.__reachable.indexOf(element), near.some(one => one && ringed(one)), element.outerHTML.slice(0, 160)];
}"""


def violations(page: Page) -> list[str]:
    """What axe finds, a line for each rule: what is wrong, and at which elements."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    options = {"runOnly": {"type": "tag", "values": _TAGS}, "resultTypes": ["violations"], "preload": False}
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {rule['help']}\n"
        + "\n".join(f"    {node['html'][:200]}\n    {node['failureSummary']}" for node in rule["nodes"][:5])
        for rule in found["violations"]
    ]


def too_wide(page: Page) -> list[str]:
    """The innermost elements for which the whole page can be scrolled sideways; none where it cannot."""
    found: list[str] = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            const cut = element => element && element !== document.body
                && (getComputedStyle(element).overflowX !== 'visible' || cut(element.parentElement));
            const wide = [...document.body.querySelectorAll('*')].filter(
                element => element.getBoundingClientRect().right > width + 0.5 && !cut(element.parentElement));
            const inner = wide.filter(element => !wide.some(other => other !== element && element.contains(other)));
            return inner.map(element => element.outerHTML.slice(0, 160)).concat(`a page of ${document.documentElement.scrollWidth}`);
        }"""
    )
    return found


def unreachable(page: Page) -> list[str]:
    """What Tab does not come to, though a person with a mouse could use it; and what does not show that it has the focus."""
    wanted: list[str | None] = page.evaluate(_REACHABLE)
    reached, wrong, before = set(), [], -1
    for _ in range(4 * len(wanted) + 10):  # Tab goes through a date part by part.
        page.keyboard.press("Tab")
        place, ringed, what = page.evaluate(_FOCUSED)
        if place in reached and place != before:
            break
        before = place
        if place >= 0:
            reached.add(place)
            if not ringed:
                wrong.append(f"has the focus, and does not show it: {what}")
    missed = [what for place, what in enumerate(wanted) if what is not None and place not in reached]
    return wrong + [f"Tab does not come to it: {what}" for what in missed]
